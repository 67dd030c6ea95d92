//! `set_variables`: writes the session's variables (SEMANTICS T3).

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::Expr;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::node::{NodeContract, PortName, ReminderStep};

/// Assignments, made in their order. Branch: `next`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "note", "kind": "set_variables",
///     "variables": [
///         {"name": "greeting", "value": "Hi {{ contact.name }}"},
///         {"name": "tries", "expr": "(tries | default(0)) + 1"},
///         {"name": "order", "value": {"id": "{{ context.cart_id }}", "paid": false}},
///         {"name": "draft", "value": null}
///     ]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SetVariablesDef {
    /// The assignments.
    pub variables: Vec<VariableDef>,
}

/// One assignment: `{"name": "greeting", "value": "Hi"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariableDef {
    /// The variable: a letter or `_`, then letters, digits and `_`, at most 64.
    pub name: String,
    /// The value that it is set to.
    #[serde(flatten)]
    pub assign: AssignmentDef,
}

/// The value that a variable is set to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AssignmentDef {
    /// A JSON value in which each text is a template, and a placeholder alone gives its value
    /// ([SEMANTICS N13](crate::semantics#n13)); `null` deletes the variable.
    Value(Value),
    /// The value of an expression, of whatever type it is.
    Expr(String),
}

/// Compiled assignments.
#[derive(Clone, Debug)]
pub(crate) struct SetVariables {
    pub(crate) items: Box<[(Arc<str>, Assign)]>,
}

/// A compiled assignment.
#[derive(Clone, Debug)]
pub(crate) enum Assign {
    Delete,
    Json(JsonTemplate),
    Expr(Expr),
}

impl SetVariablesDef {
    /// With one more assignment of a value.
    #[must_use]
    pub fn with_value(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.push(VariableDef { name: name.into(), assign: AssignmentDef::Value(value.into()) });
        self
    }

    /// With one more assignment of an expression.
    #[must_use]
    pub fn with_expr(mut self, name: impl Into<String>, expr: impl Into<String>) -> Self {
        self.variables.push(VariableDef { name: name.into(), assign: AssignmentDef::Expr(expr.into()) });
        self
    }
}

impl NodeContract for SetVariablesDef {
    type Compiled = SetVariables;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { variables: fields.required("variables").unwrap_or_default() }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<SetVariables> {
        let list = at.key("variables");
        let items = self.variables.iter().enumerate();
        let items: Vec<_> = items.map(|(index, item)| item.compile(&list.item(index), cx)).collect();
        Some(SetVariables { items: items.into_iter().collect::<Option<_>>()? })
    }

    fn writes(&self) -> Vec<&str> {
        self.variables.iter().map(|variable| variable.name.as_str()).collect()
    }

    fn aside(&self) -> ReminderStep {
        ReminderStep::Runs
    }
}

impl VariableDef {
    pub(super) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<(Arc<str>, Assign)> {
        let name = cx.variable(&at.key("name"), &self.name);
        let assign = self.compile_value(at, cx)?;
        Some((name?, assign))
    }

    /// The same for a key of a context, which may have any name.
    pub(super) fn compile_input(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<(Arc<str>, Assign)> {
        let name = cx.name(&at.key("name"), &self.name);
        let assign = self.compile_value(at, cx)?;
        name.map(|()| (self.name.as_str().into(), assign))
    }

    fn compile_value(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Assign> {
        Some(match &self.assign {
            AssignmentDef::Value(Value::Null) => Assign::Delete,
            AssignmentDef::Value(value) => Assign::Json(JsonTemplate::compile(value, &at.key("value"), cx)?),
            AssignmentDef::Expr(source) => Assign::Expr(cx.expression(&at.key("expr"), source)?),
        })
    }
}

impl Read for VariableDef {
    const EXAMPLE: &'static str = r#"{"name": "total", "value": "{{ context.cart_total }}"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let name = fields.required("name");
        let (has_value, has_expr) = (fields.has("value"), fields.has("expr"));
        let (value, expr) = (fields.optional("value"), fields.optional("expr"));
        fields.close();
        if has_value == has_expr {
            let (code, message) = match has_value {
                true => (IssueCode::BadValue, "has both `value` and `expr`"),
                false => (IssueCode::MissingField, "has neither `value` nor `expr`"),
            };
            found.add(code, at, message, "give one of the two");
            return None;
        }
        let assign = value.map(AssignmentDef::Value).or(expr.map(AssignmentDef::Expr));
        Some(Self { name: name?, assign: assign? })
    }
}
