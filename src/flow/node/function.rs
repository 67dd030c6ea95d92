//! `function`: the host does something and answers (SEMANTICS D2).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::node::call::HostCall;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A call of the host. Branches: `next`, `failed`, and those that the host may name in its answer.
///
/// Without an edge for `failed` a failure fails the session. A branch that is declared needs an
/// edge.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "lookup", "kind": "function", "name": "Look up the order",
///     "function": "order_status", "args": {"order": "{{ reply.text | trim }}"},
///     "save_to": "order", "timeout": "20s", "branches": ["not_found"]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FunctionDef {
    /// The name that the host knows it by.
    pub function: String,
    /// Its arguments; each text is a template, and a placeholder alone gives its value
    /// ([SEMANTICS N13](crate::semantics#n13)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Map<String, Value>>,
    /// The variable that takes the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// The time that the host may take; 30 seconds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Branches that the host may name in its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<Vec<String>>,
}

/// A compiled call.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) call: HostCall,
}

impl Function {
    pub(crate) const FAILED: Port = Port(1);
}

/// As many as a `branch` may have.
const MOST_BRANCHES: usize = 256;

impl FunctionDef {
    /// A call without arguments.
    #[must_use]
    pub fn named(function: impl Into<String>) -> Self {
        Self { function: function.into(), ..Self::default() }
    }

    fn named_branches(&self) -> &[String] {
        self.branches.as_deref().unwrap_or_default()
    }
}

impl NodeContract for FunctionDef {
    type Compiled = Function;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            function: fields.required("function").unwrap_or_default(),
            args: fields.optional("args"),
            save_to: fields.optional("save_to"),
            timeout: fields.optional("timeout"),
            branches: fields.optional("branches"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        let named = self.named_branches().iter().take(MOST_BRANCHES).map(|name| name.clone().into());
        ["next".into(), "failed".into()].into_iter().chain(named).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Function> {
        cx.name(&at.key("function"), &self.function);
        let list = at.key("branches");
        let named = self.named_branches();
        if named.len() > MOST_BRANCHES {
            let message = format!("{} branches, at most {MOST_BRANCHES} are allowed", named.len());
            cx.found.add(IssueCode::BadValue, &list, message, "let the answer be a value, and branch on it");
        }
        for (index, branch) in named.iter().enumerate() {
            cx.short_name(&list.item(index), branch);
        }
        cx.distinct(&list, "branch", ["next", "failed"].into_iter().chain(named.iter().map(String::as_str)));
        let args = Value::Object(self.args.clone().unwrap_or_default());
        let args = JsonTemplate::compile(&args, &at.key("args"), cx);
        let common = (self.save_to.as_deref(), self.timeout.as_ref());
        let call = HostCall::compile(args?, common, Function::FAILED, at, cx);
        Some(Function { name: self.function.as_str().into(), call })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }

    fn needs_edge(&self, port: Port) -> bool {
        port.0 > Function::FAILED.0
    }
}
