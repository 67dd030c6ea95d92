//! Lists that mostly have one entry.

/// Adds an entry to a list that mostly has one: the first takes no more room than it needs.
pub(crate) fn push_only<T>(list: &mut Vec<T>, entry: T) {
    if list.capacity() == 0 {
        *list = vec![entry];
    } else {
        list.push(entry);
    }
}
