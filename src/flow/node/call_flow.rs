//! `call_flow`: another flow runs as a part of this one (SEMANTICS N9).

use std::sync::Arc;

use serde::Serialize;

use crate::FlowId;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::node::set_variables::{Assign, VariableDef};
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A call of another flow, in the version that is online when the session comes here. Branches:
/// `next`, `failed`, `expired`.
///
/// The called flow starts with the `input` as its context; the policy of its start node applies.
/// When it is complete, `output` is evaluated in its names (`flow.outcome` is the word of the end
/// that it came to), written to this flow's variables, and the session leaves by `next`. A fault
/// of the called flow takes `failed`, a question that nobody answered or the end of the TTL takes
/// `expired`; without an edge for it, that of the flow that called this one, and so on; at last the
/// session fails or expires.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "address", "kind": "call_flow", "flow": "ask-address",
///     "input": [{"name": "country", "value": "{{ contact.fields.country }}"}, {"name": "cart", "expr": "context.cart"}],
///     "output": [{"name": "address", "expr": "vars.address"}, {"name": "how", "expr": "flow.outcome"}]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
///
/// A `terminal` call does not come back: the called flow takes this one's place, and its end is
/// this one's. It has the branch `failed` alone, for a flow that cannot be entered.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "menu", "kind": "call_flow", "flow": "main-menu", "terminal": true}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CallFlowDef {
    /// The code of the flow.
    pub flow: String,
    /// The variables that it is started with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<VariableDef>>,
    /// The variables of it that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Vec<VariableDef>>,
    /// True if it takes this flow's place; it comes back if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<bool>,
}

/// A compiled call of a flow.
#[derive(Clone, Debug)]
pub(crate) struct CallFlow {
    pub(crate) flow: FlowId,
    pub(crate) input: Box<[(Arc<str>, Assign)]>,
    pub(crate) output: Box<[(Arc<str>, Assign)]>,
    pub(crate) is_terminal: bool,
}

impl CallFlow {
    const FAILED: Port = Port(1);
    pub(crate) const EXPIRED: Port = Port(2);

    /// The branch of a call that failed; a terminal one has no other.
    pub(crate) fn failed(&self) -> Port {
        if self.is_terminal { Port::NEXT } else { Self::FAILED }
    }
}

impl CallFlowDef {
    /// A call without input and output, that comes back.
    #[must_use]
    pub fn of(flow: impl Into<String>) -> Self {
        Self { flow: flow.into(), ..Self::default() }
    }

    fn is_terminal(&self) -> bool {
        self.terminal == Some(true)
    }
}

impl NodeContract for CallFlowDef {
    type Compiled = CallFlow;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            flow: fields.required("flow").unwrap_or_default(),
            input: fields.optional("input"),
            output: fields.optional("output"),
            terminal: fields.optional("terminal"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        match self.is_terminal() {
            true => vec!["failed".into()],
            false => vec!["next".into(), "failed".into(), "expired".into()],
        }
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CallFlow> {
        cx.name(&at.key("flow"), &self.flow);
        if self.is_terminal() && self.output.is_some() {
            let message = "has no meaning for a terminal call";
            cx.found.add(
                IssueCode::BadValue,
                &at.key("output"),
                message,
                "remove it, or let the call come back",
            );
        }
        let (given, kept) =
            (self.input.as_deref().unwrap_or_default(), self.output.as_deref().unwrap_or_default());
        let list = at.key("input");
        cx.distinct(&list, "input", given.iter().map(|item| item.name.as_str()));
        let items = given.iter().enumerate();
        let input: Vec<_> = items.map(|(index, item)| item.compile_input(&list.item(index), cx)).collect();
        let list = at.key("output");
        // What the output reads is the called flow's.
        let output: Vec<_> = cx.of_another_flow(|cx| {
            let items = kept.iter().enumerate();
            items.map(|(index, item)| item.compile(&list.item(index), cx)).collect()
        });
        Some(CallFlow {
            flow: FlowId::new(&self.flow).ok()?,
            input: input.into_iter().collect::<Option<_>>()?,
            output: output.into_iter().collect::<Option<_>>()?,
            is_terminal: self.is_terminal(),
        })
    }

    fn blocking(&self) -> Blocking<'_> {
        let failed = if self.is_terminal() { Port::NEXT } else { CallFlow::FAILED };
        Blocking::Calls { flow: &self.flow, failed }
    }

    fn writes(&self) -> Vec<&str> {
        self.output.iter().flatten().map(|variable| variable.name.as_str()).collect()
    }

    fn has_default_port(&self) -> bool {
        !self.is_terminal()
    }
}
