//! Stand-in.
use crate::Limits;
use crate::flow::expr::{Expr, Path, SyntaxError};
#[derive(Clone, Debug)]
pub(crate) struct Template(String, Vec<Expr>);
impl Template {
    pub(crate) fn parse(source: &str, limits: &Limits) -> Result<Self, SyntaxError> {
        let mut holes = Vec::new();
        for piece in source.split("{{").skip(1) {
            let Some((inner, _)) = piece.split_once("}}") else {
                return Err(SyntaxError("unclosed `{{`".into()));
            };
            holes.push(Expr::parse(inner, limits)?);
        }
        Ok(Self(source.into(), holes))
    }
    pub(crate) fn as_literal(&self) -> Option<&str> {
        self.1.is_empty().then_some(&self.0)
    }
    pub(crate) fn paths(&self) -> Vec<Path> {
        self.1.iter().flat_map(Expr::paths).collect()
    }
}
