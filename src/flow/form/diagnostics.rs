//! Collects the issues of a flow while it is read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::flow::form::closest::closest;
use crate::flow::form::issue::{Issue, IssueCode, Issues, Repair, Severity};
use crate::flow::form::path::{Path, brief};
use crate::gather::Gather;
use crate::id::NodeId;

/// The parts of a flow that could not be read.
pub(crate) struct Unread {
    /// The places of the nodes of which a field could not be read.
    pub(crate) nodes: BTreeSet<usize>,
    /// True if the ids of all nodes could be read.
    pub(crate) has_ids: bool,
    /// True if all edges could be read.
    pub(crate) has_edges: bool,
    /// True if everything else could be read: the trigger, the settings.
    pub(crate) has_head: bool,
}

/// The list while it is being made.
#[derive(Default)]
pub(crate) struct Diagnostics {
    issues: Vec<Issue>,
    /// The node that is being looked at.
    pub(crate) node: Option<NodeId>,
    suggested: usize,
    /// Places whose form is wrong already: what else is said of them would only follow from that.
    settled: BTreeSet<String>,
    /// The keys of objects that may be texts by language and whose order in the file is not that of
    /// their letters.
    orders: BTreeMap<String, Vec<String>>,
    /// A sketch that notes which fields are read, when a schema is made.
    #[cfg(feature = "schema")]
    pub(crate) sketch: Option<Box<crate::flow::form::schema::ObjectForm>>,
}

impl Diagnostics {
    /// More would be read by nobody, and would let a small file make a large list.
    const MOST: usize = 1_000;

    pub(crate) fn add(
        &mut self,
        code: IssueCode,
        at: &Path<'_>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add_repairable(code, at, message, fix, None);
    }

    /// Reports what may be repaired by one press.
    pub(crate) fn add_repairable(
        &mut self,
        code: IssueCode,
        at: &Path<'_>,
        message: impl Into<String>,
        fix: impl Into<String>,
        repair: Option<Repair>,
    ) {
        if self.issues.len() <= Self::MOST {
            self.add_at(code, at.to_string(), message, fix, repair);
        }
    }

    pub(crate) fn add_at(
        &mut self,
        code: IssueCode,
        path: String,
        message: impl Into<String>,
        fix: impl Into<String>,
        repair: Option<Repair>,
    ) {
        if self.issues.len() > Self::MOST || self.is_settled(&path) {
            return;
        }
        let mut issue = Issue {
            severity: code.severity(),
            code,
            node: self.node.clone(),
            path,
            message: message.into(),
            fix: fix.into(),
            repair,
            line: None,
            column: None,
        };
        if self.issues.len() == Self::MOST {
            issue.severity = Severity::Error;
            issue.code = IssueCode::MoreIssues;
            issue.message = format!("more than {} issues, the rest is left out", Self::MOST);
            issue.fix = "fix these first".into();
            issue.repair = None;
        }
        self.issues.push(issue);
    }

    /// True if the place was reported as missing.
    pub(crate) fn is_missing(&self, at: &Path<'_>) -> bool {
        let is_of = |issue: &Issue| issue.code == IssueCode::MissingField && issue.path == at.to_string();
        self.issues.iter().rev().any(is_of)
    }

    /// Reports a field that is missing, and another one that was probably meant to be it, as one
    /// issue.
    pub(crate) fn add_misnamed(&mut self, at: &Path<'_>, other: &Path<'_>, written: &str, name: &str) {
        let path = at.to_string();
        self.issues.retain(|issue| issue.code != IssueCode::MissingField || issue.path != path);
        let (message, fix) = (
            format!("is required, but is written {:?}", brief(written)),
            format!("rename `{}` to `{name}`", brief(written)),
        );
        let repair = Repair::Rename { path: other.to_string(), to: name.to_owned() };
        self.add_repairable(IssueCode::MissingField, at, message, fix, Some(repair));
    }

    /// Reports what is wrong with the file itself, at a line and a column of it.
    pub(crate) fn add_in_file(
        &mut self,
        code: IssueCode,
        message: impl Into<String>,
        fix: impl Into<String>,
        (line, column): (u32, u32),
    ) {
        let before = self.issues.len();
        self.add_at(code, String::new(), message, fix, None);
        for issue in self.issues.iter_mut().skip(before) {
            (issue.line, issue.column) = (Some(line), Some(column));
        }
    }

    /// Reports a value that only a build with another feature takes.
    pub(crate) fn lacks_feature(&mut self, at: &Path<'_>, what: impl fmt::Display, feature: &str) {
        let message = format!("{what} needs the feature `{feature}`, which this build does not have");
        self.add(IssueCode::BadValue, at, message, format!("build chatflow with the feature `{feature}`"));
    }

    /// The word that was probably meant, of those that are known. Only for the first that ask: each
    /// compares a word with all known ones.
    pub(crate) fn meant<'a>(
        &mut self,
        word: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Option<&'a str> {
        const MOST: usize = 100;
        self.suggested += 1;
        if self.suggested > MOST { None } else { closest(word, known) }
    }

    /// Keeps the order that the keys of an object have in the file.
    pub(crate) fn keep_order(&mut self, at: &Path<'_>, keys: Vec<String>) {
        self.orders.insert(at.to_string(), keys);
    }

    /// The keys of an object in the order of the file; empty if that is the order of their letters.
    pub(crate) fn order_of(&self, at: &Path<'_>) -> &[String] {
        if self.orders.is_empty() { &[] } else { self.orders.get(&at.to_string()).map_or(&[], Vec::as_slice) }
    }

    /// Ends the reading of the form: whether all of it could be read, unknown fields aside.
    pub(crate) fn settle_form(&mut self) -> bool {
        let wrong = self.issues.iter().filter(|issue| issue.code != IssueCode::UnknownField);
        self.settled = wrong.map(|issue| issue.path.clone()).gather();
        self.settled.is_empty()
    }

    /// Returns the parts of the flow that could not be read.
    pub(crate) fn unread(&self) -> Unread {
        let mut unread = Unread { nodes: Default::default(), has_ids: true, has_edges: true, has_head: true };
        for path in &self.settled {
            let list = path.split(['[', '.']).next().unwrap_or_default();
            unread.has_ids &= !matches!(path.as_str(), "" | "nodes");
            unread.has_edges &= list != "edges" && !path.is_empty();
            unread.has_head &= matches!(list, "nodes" | "edges");
            let Some((place, field)) = path.strip_prefix("nodes[").and_then(|rest| rest.split_once(']'))
            else {
                continue;
            };
            unread.has_ids &= !matches!(field, "" | ".id");
            unread.nodes.extend(place.parse::<usize>());
        }
        unread
    }

    /// True if the place, or a part of it, could not be read.
    fn is_settled(&self, path: &str) -> bool {
        use std::ops::Bound::{Included, Unbounded};
        let mut after = self.settled.range::<str, _>((Included(path), Unbounded));
        !path.is_empty() && after.next().is_some_and(|wrong| wrong.starts_with(path))
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.issues.iter().any(|issue| issue.severity == Severity::Error)
    }

    /// A list whose readers are asked for their fields, and read none.
    #[cfg(feature = "schema")]
    pub(crate) fn sketching(sketch: crate::flow::form::schema::ObjectForm) -> Self {
        Self { sketch: Some(Box::new(sketch)), ..Self::default() }
    }

    #[cfg(feature = "schema")]
    pub(crate) fn has(&self, code: IssueCode) -> bool {
        self.issues.iter().any(|issue| issue.code == code)
    }

    pub(crate) fn len(&self) -> usize {
        self.issues.len()
    }

    pub(crate) fn into_issues(self) -> Issues {
        Issues(self.issues)
    }
}

/// The words for one that was probably meant: `; did you mean "x"?`.
pub(crate) fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|word| format!("; did you mean {word:?}?")).unwrap_or_default()
}
