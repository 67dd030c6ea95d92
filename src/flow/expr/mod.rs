//! Stand-in.
use crate::Limits;
pub(crate) struct Path(String);
impl Path {
    pub(crate) fn root(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
    pub(crate) fn key(&self) -> Option<&str> {
        self.0.split('.').nth(1)
    }
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
    pub(crate) fn is_optional(&self) -> bool {
        false
    }
}
#[derive(Clone, Debug)]
pub(crate) struct Expr(String);
#[derive(Debug, thiserror::Error)]
#[error("{0} at character 1")]
pub(crate) struct SyntaxError(pub(crate) String);
#[derive(Debug, thiserror::Error)]
#[error("stand-in")]
pub(crate) struct EvalError;
impl Expr {
    pub(crate) fn parse(source: &str, _: &Limits) -> Result<Self, SyntaxError> {
        let open = source.matches('(').count() != source.matches(')').count();
        if open || source.trim().is_empty() {
            Err(SyntaxError("unexpected end".into()))
        } else {
            Ok(Self(source.into()))
        }
    }
    pub(crate) fn paths(&self) -> Vec<Path> {
        let path = self.0.split(['|', ' ', '(', '+']).find(|s| !s.is_empty()).unwrap_or_default();
        vec![Path(path.trim().to_owned())]
    }
}
pub(crate) trait Scope {}
