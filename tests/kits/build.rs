//! Facts about the build that they run in: each combination of the default features has to
//! pass them.

/// True if this build has the features that a flow needs.
pub(crate) fn is_for_this_build(flow: &str) -> bool {
    let asks_for = |words: &[&str]| words.iter().any(|word| flow.contains(word));
    (cfg!(feature = "phone-numbers") || !asks_for(&["recognize_phone", "recognize_entities"]))
        && (cfg!(feature = "time-zones") || !asks_for(&["Europe/"]))
}
