//! `set_variables`: writes `vars`, in order; each may read the ones before it (SEMANTICS N).

use serde_json::Value;

use crate::flow::node::{Assign, Port, SetVariables};
use crate::kernel::turn::{Move, Run};
use crate::session::FailureCode;

pub(super) fn enter(run: &mut Run<'_>, node: &SetVariables) -> Move {
    for (name, assign) in &node.items {
        let value = match assign {
            Assign::Delete => Ok(Value::Null),
            Assign::Json(template) => run.render_json(template),
            Assign::Expr(expr) => run.evaluate(expr),
        };
        let value = match value {
            Ok(value) => value,
            Err(error) => {
                return Move::fail(FailureCode::Expression, format_args!("variable `{name}`: {error}"));
            }
        };
        if matches!(assign, Assign::Delete) {
            run.session.vars = run.session.vars.without(name);
        } else if let Err(error) = run.set_var(name, &value) {
            return Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}"));
        }
    }
    Move::Take(Port::NEXT)
}
