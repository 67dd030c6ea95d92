//! The addresses of a contact: learnt, given another form, moved, taken away (SEMANTICS T2, A2,
//! A6).

use chrono::{DateTime, Utc};

use crate::address::{Address, Alias};
use crate::kernel::decide::decision::Decision;
use crate::session::EndReason;

/// The source of the news that a contact has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The host, in whatever form it keeps numbers.
    Host,
    /// The channel, in the form that it uses.
    Channel,
}

impl Decision<'_> {
    /// Notes an opt-out that an address brings to its new contact.
    pub(crate) fn carry_opt_out(&mut self, since: Option<DateTime<Utc>>) {
        if since.is_some() && self.conversation.contact.opted_out_at.is_none() {
            self.edit().contact.opted_out_at = since;
        }
    }

    /// Notes an opt-out that an address brings to a contact that is known: its sessions end.
    pub(crate) fn take_opt_out(&mut self, since: Option<DateTime<Utc>>) {
        if since.is_some() && self.conversation.contact.opted_out_at.is_none() {
            self.opt_out();
            self.edit().contact.opted_out_at = since;
        }
    }

    /// Links an address to the contact (SEMANTICS T2). Of two forms of one number the one that the
    /// channel uses is kept (A2).
    pub(crate) fn link(&mut self, address: &Address, source: Source) {
        match self.conversation.contact.same_address(address) {
            None => {
                self.edit().contact.addresses.push(address.clone());
                if self.out.add_aliases.is_empty() {
                    // With room for that of a session that starts.
                    self.out.add_aliases = Vec::with_capacity(3);
                }
                self.out.add_aliases.extend(address.aliases());
            }
            Some(place) if source == Source::Channel => {
                if self.conversation.contact.addresses.get(place).is_some_and(|known| known != address) {
                    self.use_form(place, address);
                }
            }
            Some(_) => {}
        }
    }

    /// Lets an address lead here, which is one of the contact's in another form.
    pub(crate) fn claim(&mut self, address: &Address) {
        let alias = Alias::Address(address.clone());
        if !self.out.add_aliases.contains(&alias) {
            self.out.add_aliases.push(alias);
        }
    }

    /// Writes to a number in this form from now on.
    #[cold]
    fn use_form(&mut self, place: usize, address: &Address) {
        let conversation = self.edit();
        if let Some(known) = conversation.contact.addresses.get_mut(place) {
            *known = address.clone();
        }
        for session in &mut conversation.sessions {
            session.redirect(address, address);
        }
    }

    /// Lets an address lead here no more, and keeps it in mind.
    pub(super) fn yield_up(&mut self, address: &Address) -> bool {
        self.edit();
        self.out.drop_aliases.extend(address.aliases());
        true
    }

    /// Takes an address from the contact; the aliases lead nowhere then.
    pub(super) fn unlink(&mut self, address: &Address) -> bool {
        self.edit().contact.addresses.retain(|known| !known.is_same(address));
        self.out.drop_aliases.extend(address.aliases());
        true
    }

    /// Takes an address that belongs to somebody else now: sessions that talked with it end, and
    /// nothing that is on its way there leaves (SEMANTICS A6).
    pub(super) fn forsake(&mut self, address: &Address) -> bool {
        let talks = |to: &Address| to.is_same(address);
        for place in (0..self.conversation.sessions.len()).rev() {
            let session = self.conversation.sessions.get(place);
            let route = session.and_then(|session| session.asked.as_ref().or(session.route.as_ref()));
            if route.is_some_and(|route| talks(&route.to)) {
                self.end(place, EndReason::Unlinked, self.now);
            }
        }
        self.edit().outbox.retain(|unsent| !talks(&unsent.message.route.to));
        self.unlink(address)
    }

    /// Puts another address in the place of one that changed: sessions continue there (SEMANTICS
    /// A6).
    pub(super) fn relink(&mut self, old: &Address, new: &Address) -> bool {
        self.unlink(old);
        self.link(new, Source::Channel);
        // What one drops and the other adds, such as the two forms of a number, stays.
        let added = std::mem::take(&mut self.out.add_aliases);
        self.out.drop_aliases.retain(|alias| !added.contains(alias));
        self.out.add_aliases = added;
        let conversation = self.edit();
        for session in &mut conversation.sessions {
            session.redirect(old, new);
        }
        for unsent in &mut conversation.outbox {
            if unsent.message.route.to.is_same(old) {
                std::sync::Arc::make_mut(&mut unsent.message).redirect(new);
            }
        }
        true
    }
}
