//! Templates of flows that come with the crate, to begin with: import one under a code of your own,
//! then change it. They are the files of `examples/flows`, so that there is one copy of each.

/// A flow to begin with.
///
/// A template may need a feature that is on by default, as `menu` does `time-zones`.
///
/// ```
/// use chatflow::flow::gallery;
/// use chatflow::Flow;
///
/// # #[cfg(feature = "time-zones")]
/// for template in gallery::templates() {
///     let flow = Flow::from_json(template.json)?;
///     assert_eq!((flow.name(), flow.trigger().is_manual()), (template.name, template.is_manual));
/// }
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowTemplate {
    /// The code that [`Flows::create_from_template`](crate::Flows::create_from_template) knows it
    /// by.
    pub code: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its purpose, in a sentence.
    pub description: &'static str,
    /// True if a call starts it; else messages do, and it is bound to accounts before it is
    /// published.
    pub is_manual: bool,
    /// The flow, as JSON.
    pub json: &'static str,
}

/// Returns all templates.
#[must_use]
pub fn templates() -> &'static [FlowTemplate] {
    TEMPLATES
}

/// Returns the template with a code.
#[must_use]
pub fn template(code: &str) -> Option<&'static FlowTemplate> {
    TEMPLATES.iter().find(|template| template.code == code)
}

macro_rules! templates {
    ($($code:literal, $name:literal, $is_manual:literal: $description:literal;)+) => {
        &[$(FlowTemplate {
            code: $code,
            name: $name,
            description: $description,
            is_manual: $is_manual,
            json: include_str!(concat!("../../../examples/flows/", $code, ".json")),
        }),+]
    };
}

const TEMPLATES: &[FlowTemplate] = templates! {
    "abandoned_cart", "Abandoned cart 30min", true:
        "Reminds of a cart that was left, and offers the checkout or an agent.";
    "menu", "Main menu", false:
        "Answers who writes without a topic with choices.";
    "triage", "Where is my order?", false:
        "Finds out what a customer wants to know, looks it up, and passes on to an agent what it cannot answer.";
    "appointment_reminder", "Appointment reminder", true:
        "Waits until the day before an appointment, by the contact's clock, then asks whether it still holds.";
    "nps_survey", "How likely are you to recommend us?", true:
        "Asks for a score and a comment, once in ninety days.";
    "opt_in", "May we write to you?", true:
        "Asks for consent to news, and notes the answer; STOP ends all messages at any time.";
    "order_status", "Your order", true:
        "Tells that an order was shipped, delivered or is late; a late one can be cancelled.";
    "lead_qualification", "Lead qualification", false:
        "Asks who wants a price three questions, and tells the sales team of those who are ready.";
    "order_picker", "Order", false:
        "Takes an order from what an API has today, line by line, and goes through it once more.";
    "catalogue", "Catalogue", false:
        "Shows what an API has, by kind, and one thing with its picture.";
    "side_questions", "Three questions", false:
        "A survey whose questions may be asked about: why, how long, who reads it.";
    "course_by_mail", "A course of sixty days", true:
        "Sends an approved message every ten days for two months, in the contact's morning.";
    "escalation", "Refund", false:
        "Refunds an order over HTTP; what fails goes to a person, and the team hears of faults.";
    "insurance_claim", "Insurance claim", true:
        "Takes a damage by a form and an album of photos; an approved message asks where the window is closed.";
    "product_question", "Would you like one?", true:
        "Shows an article by an approved message with its picture, and takes the answer by a button.";
};
