//! The context in which a part of a flow is compiled, and the checks that parts share. What must
//! not live here: the rules of one part.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value;

use crate::address::Channel;
use crate::address::Home;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::form::span::Span;
use crate::flow::lang::expr::{self, Expr};
use crate::flow::lang::foreign::{bare_path, placeholders};
use crate::flow::lang::names::{self, Mentions, fields_below, fields_of};
use crate::flow::lang::pattern::{Extent, Pattern};
use crate::flow::lang::region::HomeRegion;
use crate::flow::lang::template::Template;
use crate::flow::place::NodeIx;
use crate::id::check_name;
use crate::limits::Limits;

/// Maximum cost of the patterns of one flow together ([`Pattern::cost`]): a second and 32 MiB at
/// worst.
const MOST_PATTERNS: usize = 128;

/// The context in which a part is compiled: the facts about the whole, and the checks that parts
/// share.
pub(crate) struct Compile<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) found: &'a mut Diagnostics,
    index: &'a BTreeMap<&'a str, NodeIx>,
    /// True if the ids of all nodes could be read.
    pub(crate) knows_nodes: bool,
    /// The names that its parts have read so far.
    pub(crate) mentions: Mentions,
    /// The channel that messages go out on, if the flow settles it.
    pub(crate) channel: Option<Channel>,
    /// Where telephone numbers without a calling code are at home, if a node does not say so.
    pub(crate) default_region: Option<HomeRegion>,
    /// Maximum lifetime of a session.
    pub(crate) max_lifetime: TimeDelta,
    patterns_left: usize,
    /// The id of the start node.
    pub(crate) start: Option<&'a str>,
    /// True if a message starts the flow.
    pub(crate) is_inbound: bool,
    /// True if one of its messages offers choices or a form.
    pub(crate) has_offers: bool,
    /// True if sessions run without a contact.
    pub(crate) is_contactless: bool,
}

impl<'a> Compile<'a> {
    /// Knows the places of the nodes by their ids, and nothing else of the flow yet.
    pub(crate) fn new(
        limits: &'a Limits,
        index: &'a BTreeMap<&'a str, NodeIx>,
        found: &'a mut Diagnostics,
    ) -> Self {
        Self {
            limits,
            found,
            index,
            knows_nodes: false,
            mentions: Mentions::default(),
            channel: None,
            default_region: None,
            max_lifetime: TimeDelta::MAX,
            patterns_left: MOST_PATTERNS,
            start: None,
            is_inbound: false,
            has_offers: false,
            is_contactless: false,
        }
    }

    pub(crate) fn template(&mut self, at: &Path<'_>, source: &str) -> Option<Template> {
        self.afford(at, matches_in(source))?;
        match Template::parse(source, self.limits) {
            Ok(template) => {
                self.mentions.note(at, self.found.node.as_ref(), template.names());
                self.check_names(at, template.names());
                for found in placeholders(&template) {
                    self.found.add(IssueCode::ForeignPlaceholder, at, found.message, found.fix);
                }
                if let Some(meant) = template.as_literal().and_then(|text| bare_path(text, self.limits)) {
                    let message = format!("{:?} is sent as it is written", brief(source.trim()));
                    let (fix, repair) = (format!("write {meant}"), Repair::replace(at, Some(&meant)));
                    self.found.add_repairable(IssueCode::ForeignPlaceholder, at, message, fix, repair);
                }
                Some(template)
            }
            Err(error) => {
                let message = format!("is not a template: {error}");
                self.found.add(IssueCode::BadTemplate, at, message, "fix the expression between {{ and }}");
                None
            }
        }
    }

    /// Warns of fields that `reply`, `contact` and their like do not have.
    fn check_names<'e>(&mut self, at: &Path<'_>, names: impl Iterator<Item = &'e expr::DataPath>) {
        for path in names {
            let (known, Some(key)) = (fields_of(path.root()), path.key()) else { continue };
            if known.is_empty() || known.contains(&key) {
                self.check_below(at, path, key);
                continue;
            }
            self.warn_of_name(at, path.root(), key, known);
        }
    }

    /// The same of the fields of a place.
    fn check_below(&mut self, at: &Path<'_>, path: &expr::DataPath, key: &str) {
        let (known, Some(second)) = (fields_below(path.root(), key), path.second_key()) else { return };
        if !known.is_empty() && !known.contains(&second) {
            self.warn_of_name(at, &format!("{}.{key}", path.root()), second, known);
        }
    }

    fn warn_of_name(&mut self, at: &Path<'_>, root: &str, key: &str, known: &[&'static str]) {
        let meant = self.found.meant(key, known.iter().copied());
        let message = format!("`{root}` has no field `{}`{}", brief(key), did_you_mean(meant));
        let fix = format!("read one of {}", known.join(", "));
        let repair = meant.map(|meant| Repair::Reword {
            path: at.to_string(),
            name: format!("{root}.{key}"),
            to: format!("{root}.{meant}"),
        });
        self.found.add_repairable(IssueCode::UnknownName, at, message, fix, repair);
    }

    /// Compiles what is evaluated in the names of another flow: this one need not declare them.
    pub(crate) fn of_another_flow<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let own = std::mem::take(&mut self.mentions);
        let compiled = compile(self);
        self.mentions = own;
        compiled
    }

    /// Compiles what reads some names beside those of the flow.
    pub(crate) fn with_names<T>(
        &mut self,
        names: &'static [&'static str],
        compile: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let others = std::mem::replace(&mut self.mentions.known, names);
        let compiled = compile(self);
        self.mentions.known = others;
        compiled
    }

    /// A region by its ISO 3166 code, or a template that gives one.
    pub(crate) fn region(&mut self, at: &Path<'_>, source: &str) -> Option<HomeRegion> {
        if cfg!(not(feature = "phone-numbers")) {
            self.found.lacks_feature(at, format_args!("the region {:?}", brief(source)), "phone-numbers");
            return None;
        }
        let template = self.template(at, source)?;
        let Some(region) = template.as_literal() else { return Some(HomeRegion::From(template)) };
        let home = Home::of(region);
        if home.is_none() {
            let message = format!("{:?} is not a region", brief(region));
            self.found.add(IssueCode::BadValue, at, message, "write an ISO 3166 code such as US or DE");
        }
        home.map(HomeRegion::Fixed)
    }

    /// A template that must not be blank.
    pub(crate) fn required_template(&mut self, at: &Path<'_>, source: &str) -> Option<Template> {
        if source.trim().is_empty() {
            self.found.add(IssueCode::BadValue, at, "must not be blank", "write a text");
            return None;
        }
        self.template(at, source)
    }

    pub(crate) fn expression(&mut self, at: &Path<'_>, source: &str) -> Option<Expr> {
        self.afford(at, matches_in(source))?;
        match Expr::parse(source, self.limits) {
            Ok(expr) => {
                self.mentions.note(at, self.found.node.as_ref(), expr.names());
                self.check_names(at, expr.names());
                Some(expr)
            }
            Err(error) => {
                let braces = source.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
                let inside = braces.map(str::trim).filter(|text| Expr::parse(text, self.limits).is_ok());
                let (message, fix) = match inside {
                    Some(text) => {
                        ("is an expression by itself".to_owned(), format!("write `{text}`, without braces"))
                    }
                    None => (format!("is not an expression: {error}"), "fix the expression".to_owned()),
                };
                let repair = Repair::replace(at, inside);
                self.found.add_repairable(IssueCode::BadExpression, at, message, fix, repair);
                None
            }
        }
    }

    /// A regular expression, unless the flow has used up what all of its own may cost.
    pub(crate) fn pattern(
        &mut self,
        at: &Path<'_>,
        source: &str,
        extent: Extent,
        ignore_case: bool,
    ) -> Option<Pattern> {
        self.afford(at, Pattern::cost(source))?;
        let report = |error| {
            let message = format!("{:?} is not a regular expression: {error}", brief(source));
            self.found.add(IssueCode::BadRegex, at, message, "fix the regular expression");
        };
        Pattern::parse(source, extent, ignore_case, self.limits).map_err(report).ok()
    }

    /// None, if the flow has used up what all of its patterns may cost.
    fn afford(&mut self, at: &Path<'_>, cost: usize) -> Option<()> {
        let left = self.patterns_left.checked_sub(cost);
        self.patterns_left = left.unwrap_or(0);
        if left.is_none() {
            let message =
                format!("is one too many: a flow may have {MOST_PATTERNS} patterns and classes in brackets");
            self.found.add(IssueCode::BadRegex, at, message, "use fewer regular expressions");
        }
        left.map(drop)
    }

    /// A name of 1-256 bytes without control characters.
    pub(crate) fn name(&mut self, at: &Path<'_>, name: &str) -> Option<()> {
        let report = |why: crate::id::NameRule| {
            self.found.add(IssueCode::BadName, at, why.to_string(), "give another name");
        };
        check_name(name).map_err(report).ok()
    }

    /// A label or an option's id: a name of at most 64 bytes.
    pub(crate) fn short_name(&mut self, at: &Path<'_>, name: &str) -> Option<()> {
        const MOST: usize = 64;
        if name.len() > MOST {
            self.found.add(
                IssueCode::BadName,
                at,
                format!("must have at most {MOST} bytes"),
                "give a shorter name",
            );
            return None;
        }
        self.name(at, name)
    }

    /// A variable's name: one that an expression can read.
    pub(crate) fn variable(&mut self, at: &Path<'_>, name: &str) -> Option<std::sync::Arc<str>> {
        match names::check_name(name) {
            Ok(()) => Some(name.into()),
            Err(why) => {
                let message = format!("{:?} {why}", brief(name));
                self.found.add(IssueCode::BadName, at, message, "give the variable another name");
                None
            }
        }
    }

    /// A wait that a session can outlive.
    pub(crate) fn wait(&mut self, at: &Path<'_>, span: &Span) -> TimeDelta {
        let wait = span.as_delta();
        if wait > self.max_lifetime {
            let message = format!("{span} is longer than a session may live");
            let longest = TimeDelta::from_std(self.limits.max_lifetime).unwrap_or(TimeDelta::MAX);
            let fix = match wait > longest {
                true => "wait less, or say `\"lifetime\": \"none\"` in the settings",
                false => "wait less, or raise `settings.max_lifetime`",
            };
            self.found.add(IssueCode::WaitTooLong, at, message, fix);
        }
        wait
    }

    /// A node that a node names by itself.
    pub(crate) fn node(&mut self, at: &Path<'_>, verb: &str, id: &str) -> Option<NodeIx> {
        let target = self.index.get(id).copied();
        if target.is_none() && self.knows_nodes {
            let meant = self.found.meant(id, self.index.keys().copied());
            let message = format!("{verb} to {:?}, which does not exist{}", brief(id), did_you_mean(meant));
            let (fix, repair) = ("name a node of this flow", Repair::replace(at, meant));
            self.found.add_repairable(IssueCode::EdgeToNowhere, at, message, fix, repair);
        }
        target
    }

    /// A node that sessions come to without an edge: any but the start.
    pub(crate) fn side_entry(&mut self, at: &Path<'_>, verb: &str, id: &str) -> Option<NodeIx> {
        if self.start == Some(id) {
            let message = format!("{verb} to the start");
            self.found.add(IssueCode::IntoStart, at, message, "name the node after the start");
        }
        self.node(at, verb, id)
    }

    /// Reports names that are given twice.
    pub(crate) fn distinct<'n>(&mut self, at: &Path<'_>, what: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                let message = format!("{what} {:?} appears twice", brief(name));
                self.found.add(IssueCode::DuplicateBranch, at, message, "give one of them another name");
            }
        }
    }

    /// True if a JSON value is as flat as a session's values must be. The walk stops at the limit.
    pub(crate) fn value(&mut self, at: &Path<'_>, value: &Value) -> bool {
        let fits = is_within(value, self.limits.depth);
        if !fits {
            let message = format!("is nested more than {} levels deep", self.limits.depth);
            self.found.add(IssueCode::TooDeep, at, message, "nest the value less deeply");
        }
        fits
    }
}

/// Returns the maximum cost of the patterns of the filter `match` in a template, before they are
/// compiled.
fn matches_in(source: &str) -> usize {
    let uses = source.match_indices("match").filter(|(at, _)| {
        let before = source.get(..*at).unwrap_or_default();
        before.trim_end().ends_with('|')
    });
    uses.map(|(at, _)| Pattern::cost(source.get(at..).unwrap_or_default())).sum()
}

fn is_within(value: &Value, depth: usize) -> bool {
    match (value, depth.checked_sub(1)) {
        (Value::Array(list), Some(depth)) => list.iter().all(|value| is_within(value, depth)),
        (Value::Object(object), Some(depth)) => object.values().all(|value| is_within(value, depth)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}
