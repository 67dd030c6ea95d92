//! Conditions: comparisons, nested by `all`, `any` and `not` (SEMANTICS N5). Total, and capped in
//! depth.

use std::borrow::Cow;

use serde::Serialize;
#[cfg(feature = "schema")]
use serde_json::json;
use serde_json::{Number, Value};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::{EvalError, Expr, Remark};
use crate::flow::lang::normal::word::has_word;
use crate::flow::lang::normal::{Folding, caseless, normal, trim_edges, without_accents};
use crate::flow::lang::operator::{Operands, Operator};
use crate::flow::lang::pattern::{Extent, Pattern};
use crate::flow::lang::render::Render;
use crate::flow::lang::template::Template;
use crate::flow::lang::zone::Zone;

/// A condition, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConditionDef {
    /// `{"all": [..]}`: every one holds.
    All(Vec<ConditionDef>),
    /// `{"any": [..]}`: at least one holds.
    Any(Vec<ConditionDef>),
    /// `{"not": {..}}`: it does not hold.
    Not(Box<ConditionDef>),
    /// `{"expr": ".."}`: the expression is true, or truthy.
    Expr(String),
    /// `{"value": "..", "op": "..", "to": ".."}`: a comparison.
    #[serde(untagged)]
    Compare(Box<CompareDef>),
}

/// A comparison, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompareDef {
    /// The left side: a template; for `exists` and `not_exists` an expression; absent for
    /// `option_payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The comparison.
    pub op: Operator,
    /// The right side; a regular expression for `string_matches` and `string_contains_match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Operand>,
    /// The upper end, for `number_between`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub and: Option<Operand>,
    /// The right sides, for `in_list` and `has_word`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<Operand>>,
    /// True if case makes no difference; it does if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
    /// Differences that do not count beside case; nothing if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Folding>,
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// A template.
    Text(String),
    /// A number.
    Number(Number),
}

/// A compiled condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition(ConditionRule);

#[derive(Clone, Debug)]
enum ConditionRule {
    All(Box<[ConditionRule]>),
    Any(Box<[ConditionRule]>),
    Not(Box<ConditionRule>),
    Expr(Expr),
    Exists { value: Expr, wanted: bool },
    Blank { value: Template, wanted: bool },
    Matches { value: Template, pattern: Pattern },
    InList { value: ConditionSide, list: Box<[ConditionSide]>, numbers: Box<[Template]> },
    HasWord { value: ConditionSide, list: Box<[ConditionSide]> },
    Between { value: Template, from: Template, to: Template },
    Numbers { value: Template, operator: Operator, to: Template },
    Compare { value: ConditionSide, operator: Operator, to: ConditionSide },
}

/// One side of a comparison.
#[derive(Clone, Debug)]
struct ConditionSide {
    template: Template,
    /// The form in which its texts are compared; a literal is in that form already.
    form: OperandForm,
}

/// The form in which the texts of a side are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperandForm {
    /// As they are.
    Written,
    /// Without case.
    Caseless,
    /// Without case and accents.
    Plain,
    /// In their normal form, for finding words in them.
    Words { is_plain: bool },
}

impl OperandForm {
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Written => Cow::Borrowed(text),
            Self::Caseless => caseless(text),
            Self::Plain => Cow::Owned(without_accents(&caseless(text)).into_owned()),
            Self::Words { is_plain: false } => normal(text),
            Self::Words { is_plain: true } => Cow::Owned(without_accents(&normal(text)).into_owned()),
        }
    }
}

/// Levels of `all`, `any` and `not` in each other.
const MOST_DEPTH: usize = 16;

impl Condition {
    /// True if it holds. What is undefined counts as blank, whatever the flow's setting, and is
    /// reported.
    pub(crate) fn eval(&self, render: &mut Render<'_>) -> Result<bool, EvalError> {
        self.0.eval(&mut render.with_blanks())
    }
}

impl ConditionRule {
    /// Recursion ends: a rule is at most [`MOST_DEPTH`] deep, or it would not have been compiled.
    fn eval(&self, render: &mut Render<'_>) -> Result<bool, EvalError> {
        Ok(match self {
            Self::All(rules) => {
                for rule in rules {
                    if !rule.eval(render)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(rules) => {
                for rule in rules {
                    if rule.eval(render)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(rule) => !rule.eval(render)?,
            Self::Expr(expr) => render.is_true(expr)?,
            Self::Exists { value, wanted } => render.exists(value)? == *wanted,
            Self::Blank { value, wanted } => render.text(value)?.trim().is_empty() == *wanted,
            Self::Matches { value, pattern } => pattern.is_match(&render.text(value)?),
            Self::InList { value, list, numbers } => {
                let text = value.text(render)?;
                for item in list {
                    if text == item.text(render)? {
                        return Ok(true);
                    }
                }
                !numbers.is_empty() && is_among(&value.template, numbers, render)?
            }
            Self::HasWord { value, list } => {
                let value = value.text(render)?.into_owned();
                for word in list {
                    if has_word(&value, [trim_edges(&word.text(render)?)]) {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Between { value, from, to } => {
                let between = is_between(render.number(value)?, render.number(from)?, render.number(to)?);
                or_told(render, Operator::NumberBetween, between)
            }
            Self::Numbers { value, operator, to } => {
                let (value, to) = (render.number(value)?, render.number(to)?);
                or_told(render, *operator, operator.compare_numbers(value, to))
            }
            Self::Compare { value, operator, to } => {
                let scope = render.scope;
                let zone = || scope.zone().unwrap_or(Zone::UTC);
                if let (Some(value), Some(to)) = (value.short_text(render), to.short_text(render)) {
                    return Ok(or_told(render, *operator, operator.compare(value, to, zone)));
                }
                let (value, to) = (value.text(render)?, to.text(render)?);
                or_told(render, *operator, operator.compare(&value, &to, zone))
            }
        })
    }
}

/// True if a number lies between two others, or is one of them; None: one of the three is no
/// number.
fn is_between<T: PartialOrd>(value: Option<T>, from: Option<T>, to: Option<T>) -> Option<bool> {
    let (value, from, to) = (value?, from?, to?);
    Some(from <= value && value <= to)
}

/// A comparison that means nothing is false, and told (SEMANTICS U12).
#[inline]
fn or_told(render: &mut Render<'_>, operator: Operator, holds: Option<bool>) -> bool {
    holds.unwrap_or_else(|| {
        (render.report)(Remark::NoResult(operator.as_str()));
        false
    })
}

/// True if a value is one of these numbers.
fn is_among(value: &Template, numbers: &[Template], render: &mut Render<'_>) -> Result<bool, EvalError> {
    let Some(value) = render.number(value)? else { return Ok(false) };
    for number in numbers {
        if render.number(number)? == Some(value) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl ConditionSide {
    fn new(template: Template, form: OperandForm) -> Self {
        match template.as_literal() {
            Some(text) if form != OperandForm::Written => {
                Self { template: Template::literal(&form.of(text)), form: OperandForm::Written }
            }
            _ => Self { template, form },
        }
    }

    /// The text, if it is known without running anything; `None` says nothing.
    #[inline]
    fn short_text<'t, 'a: 't>(&'t self, render: &Render<'a>) -> Option<&'t str> {
        match self.form {
            OperandForm::Written => self.template.short_text(render.scope, render.limits),
            _ => None,
        }
    }

    fn text<'t, 'a: 't>(&'t self, render: &mut Render<'a>) -> Result<Cow<'t, str>, EvalError> {
        let text = render.text(&self.template)?;
        Ok(match text {
            text if self.form == OperandForm::Written => text,
            Cow::Borrowed(text) => self.form.of(text),
            Cow::Owned(text) => Cow::Owned(self.form.of(&text).into_owned()),
        })
    }
}

impl ConditionDef {
    /// A comparison of a template with another.
    #[must_use]
    pub fn compare(value: impl Into<String>, op: Operator, to: impl Into<String>) -> Self {
        Self::Compare(Box::new(CompareDef {
            value: Some(value.into()),
            op,
            to: Some(Operand::Text(to.into())),
            and: None,
            list: None,
            ignore_case: None,
            fold: None,
        }))
    }

    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Condition> {
        self.rule(at, cx, MOST_DEPTH).map(Condition)
    }

    fn rule(&self, at: &Path<'_>, cx: &mut Compile<'_>, depth: usize) -> Option<ConditionRule> {
        let Some(depth) = depth.checked_sub(1) else {
            let message = format!("is nested more than {MOST_DEPTH} levels deep");
            cx.found.add(IssueCode::TooDeep, at, message, "write the condition flatter, or branch twice");
            return None;
        };
        let mut list = |key: &str, rules: &[Self]| {
            let at = at.key(key);
            if rules.is_empty() {
                cx.found.add(IssueCode::BadValue, &at, "is empty", "add a condition");
            }
            let rules: Vec<_> =
                rules.iter().enumerate().map(|(index, rule)| rule.rule(&at.item(index), cx, depth)).collect();
            rules.into_iter().collect::<Option<Box<[ConditionRule]>>>()
        };
        match self {
            Self::All(rules) => list("all", rules).map(ConditionRule::All),
            Self::Any(rules) => list("any", rules).map(ConditionRule::Any),
            Self::Not(rule) => {
                rule.rule(&at.key("not"), cx, depth).map(|rule| ConditionRule::Not(Box::new(rule)))
            }
            Self::Expr(source) => cx.expression(&at.key("expr"), source).map(ConditionRule::Expr),
            Self::Compare(compare) => compare.compile(at, cx),
        }
    }
}

impl CompareDef {
    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<ConditionRule> {
        self.check_operands(at, cx.found);
        let form = self.form();
        match self.op {
            Operator::Exists | Operator::NotExists => {
                let wanted = self.op == Operator::Exists;
                let value = cx.expression(&at.key("value"), bare(self.value.as_deref()?))?;
                Some(ConditionRule::Exists { value, wanted })
            }
            Operator::StringIsBlank | Operator::StringIsNotBlank => {
                let wanted = self.op == Operator::StringIsBlank;
                Some(ConditionRule::Blank { value: self.value(at, cx)?, wanted })
            }
            Operator::StringMatches | Operator::StringContainsMatch => {
                let pattern = self.pattern(at, cx);
                Some(ConditionRule::Matches { value: self.value(at, cx)?, pattern: pattern? })
            }
            Operator::InList | Operator::HasWord => {
                let value = self.value(at, cx);
                let list = self.list(at, cx);
                let numbers = list.iter().flatten().filter(|item| item.is_number()).cloned().collect();
                let list = list
                    .into_iter()
                    .map(|item| Some(ConditionSide::new(item?, form)))
                    .collect::<Option<_>>()?;
                let value = ConditionSide::new(value?, form);
                Some(match self.op {
                    Operator::InList => ConditionRule::InList { value, list, numbers },
                    _ => ConditionRule::HasWord { value, list },
                })
            }
            Operator::NumberBetween => {
                let (value, from) = (self.value(at, cx), self.to.as_ref()?.compile(&at.key("to"), cx));
                let to = self.and.as_ref()?.compile(&at.key("and"), cx);
                Some(ConditionRule::Between { value: value?, from: from?, to: to? })
            }
            operator if operator.is_of_numbers() => {
                let (value, to) = (self.value(at, cx), self.to.as_ref()?.compile(&at.key("to"), cx));
                Some(ConditionRule::Numbers { value: value?, operator, to: to? })
            }
            operator => {
                let (value, to) = (self.value(at, cx), self.to.as_ref()?.compile(&at.key("to"), cx));
                Some(ConditionRule::Compare {
                    value: ConditionSide::new(value?, form),
                    operator,
                    to: ConditionSide::new(to?, form),
                })
            }
        }
    }

    fn form(&self) -> OperandForm {
        let is_plain = self.fold == Some(Folding::Accents);
        match self.op {
            Operator::HasWord => OperandForm::Words { is_plain },
            _ if is_plain => OperandForm::Plain,
            _ if self.ignore_case == Some(true) => OperandForm::Caseless,
            _ => OperandForm::Written,
        }
    }

    /// Returns what the value may be, or have as a word.
    fn list(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Vec<Option<Template>> {
        let place = at.key("list");
        let list = self.list.as_deref().unwrap_or_default().iter().enumerate();
        let mut list: Vec<_> = list.map(|(index, item)| item.compile(&place.item(index), cx)).collect();
        let one = self.to.as_ref().filter(|_| self.op == Operator::HasWord);
        list.extend(one.map(|to| to.compile(&at.key("to"), cx)));
        list
    }

    /// The left side: for `option_payload` it is always the id of the option that was chosen.
    fn value(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Template> {
        let source = match self.op {
            Operator::OptionPayload => "{{ reply.payload }}",
            _ => self.value.as_deref()?,
        };
        cx.template(&at.key("value"), source)
    }

    fn pattern(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Pattern> {
        let at = at.key("to");
        let source = match self.to.as_ref()? {
            Operand::Text(source) => source.clone(),
            Operand::Number(number) => number.to_string(),
        };
        let extent = if self.op == Operator::StringMatches { Extent::Whole } else { Extent::Part };
        cx.pattern(&at, &source, extent, self.ignore_case == Some(true))
    }

    /// Checks that the fields are those that the operator takes.
    fn check_operands(&self, at: &Path<'_>, found: &mut Diagnostics) {
        let operands = self.op.operands();
        let has_either = operands == Operands::OneOrList;
        let fields = [
            ("value", self.value.is_some(), self.op != Operator::OptionPayload),
            (
                "to",
                self.to.is_some(),
                matches!(operands, Operands::One | Operands::Two) || (has_either && self.list.is_none()),
            ),
            ("and", self.and.is_some(), operands == Operands::Two),
            ("list", self.list.is_some(), operands == Operands::List || (has_either && self.to.is_none())),
        ];
        let op = self.op.as_str();
        for (field, given, wanted) in fields {
            if wanted && !given {
                let fix = format!("add `{field}`, which `{op}` compares");
                found.add(IssueCode::MissingField, &at.key(field), "is required", fix);
            } else if given && !wanted {
                let message = format!("has no meaning for `{op}`");
                found.add(IssueCode::BadValue, &at.key(field), message, "remove it");
            }
        }
        if self.ignore_case.is_some() && !self.op.has_case() {
            let message = format!("has no meaning for `{op}`");
            found.add(IssueCode::BadValue, &at.key("ignore_case"), message, "remove it");
        }
        if self.fold.is_some() && !self.op.folds() {
            let message = format!("has no meaning for `{op}`");
            found.add(IssueCode::BadValue, &at.key("fold"), message, "remove it");
        }
        if self.list.as_ref().is_some_and(Vec::is_empty) {
            found.add(IssueCode::BadValue, &at.key("list"), "is empty", "add what the value may be");
        }
    }
}

/// An expression that an author has put in braces out of habit.
fn bare(source: &str) -> &str {
    let inner = source.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.filter(|inner| !inner.contains("{{")).unwrap_or(source)
}

impl Operand {
    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Template> {
        match self {
            Self::Text(source) => cx.template(at, source),
            Self::Number(number) => Some(Template::of_number(number)),
        }
    }
}

impl Read for Operand {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => Some(Self::Number(number.clone())),
            other => wrong_type("text or a number", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|_| json!({"type": ["string", "number"]}))
    }
}

impl Read for ConditionDef {
    const EXAMPLE: &'static str = r#"{"op": "exists", "value": "context.cart_id"}"#;

    /// Recursion ends: JSON is at most 128 levels deep.
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let condition = if fields.has("all") {
            fields.required("all").map(Self::All)
        } else if fields.has("any") {
            fields.required("any").map(Self::Any)
        } else if fields.has("not") {
            fields.required("not").map(Self::Not)
        } else if fields.has("expr") {
            fields.required("expr").map(Self::Expr)
        } else {
            let (value, op) = (fields.optional("value"), fields.required("op"));
            let (to, and) = (fields.optional("to"), fields.optional("and"));
            let (list, ignore_case) = (fields.optional("list"), fields.optional("ignore_case"));
            let fold = fields.optional("fold");
            op.map(|op| Self::Compare(Box::new(CompareDef { value, op, to, and, list, ignore_case, fold })))
        };
        fields.close();
        condition
    }
}
