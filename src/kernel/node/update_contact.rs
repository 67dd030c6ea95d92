//! `update_contact`: changes the contact, for the nodes that follow and for good (SEMANTICS T3,
//! T10).

use crate::flow::Step;
use crate::flow::node::{Consent, Edit, Port, UpdateContact};
use crate::flow::template::Template;
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::{ContactChange, FailureCode};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &UpdateContact) -> Move {
    let before = (run.contact.clone(), run.effects.len());
    match update(run, node) {
        Ok(()) => {
            run.note_contact(step);
            Move::Take(Port::NEXT)
        }
        Err(Move::Fail(FailureCode::Contact, why)) if step.exit(UpdateContact::INVALID).is_some() => {
            run.forget_changes(before);
            run.because(|_| why);
            Move::Take(UpdateContact::INVALID)
        }
        Err(leave) => leave,
    }
}

fn update(run: &mut Run<'_>, node: &UpdateContact) -> Result<(), Move> {
    set(run, node.name.as_ref(), ContactChange::Name)?;
    set(run, node.email.as_ref(), ContactChange::Email)?;
    set(run, node.language.as_ref(), ContactChange::Language)?;
    set(run, node.timezone.as_ref(), ContactChange::Timezone)?;
    for (name, value) in &node.fields {
        let value = run.render_json(value).map_err(|error| Move::fail(FailureCode::Expression, error))?;
        if value.as_str() != Some("") {
            run.change_contact(ContactChange::Field(name.as_ref().to_owned(), value))?;
        }
    }
    each(run, &node.remove_tags, ContactChange::RemoveTag)?;
    each(run, &node.add_tags, ContactChange::AddTag)?;
    each(run, &node.remove_groups, ContactChange::RemoveGroup)?;
    each(run, &node.add_groups, ContactChange::AddGroup)?;
    match node.consent {
        Some(Consent::OptIn) => run.change_contact(ContactChange::OptIn),
        Some(Consent::OptOut) => run.change_contact(ContactChange::OptOut),
        None => Ok(()),
    }
}

fn set(
    run: &mut Run<'_>,
    edit: Option<&Edit>,
    change: impl FnOnce(Option<String>) -> ContactChange,
) -> Result<(), Move> {
    match edit {
        None => Ok(()),
        Some(None) => run.change_contact(change(None)),
        Some(Some(template)) => match text(run, template)? {
            Some(text) => run.change_contact(change(Some(text))),
            None => Ok(()),
        },
    }
}

fn each(
    run: &mut Run<'_>,
    labels: &[Template],
    change: impl Fn(String) -> ContactChange,
) -> Result<(), Move> {
    for label in labels {
        if let Some(label) = text(run, label)? {
            run.change_contact(change(label))?;
        }
    }
    Ok(())
}

/// Returns the text that a template renders to, trimmed; none if it is empty.
fn text(run: &mut Run<'_>, template: &Template) -> Result<Option<String>, Move> {
    let text = run.render(template).map_err(|error| Move::fail(FailureCode::Expression, error))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl Run<'_> {
    /// Tells those who watch that a node changed the contact.
    pub(super) fn note_contact(&mut self, step: &Step) {
        self.note(EventKind::ContactChanged { session: self.session.id, node: step.id.clone() });
    }
}
