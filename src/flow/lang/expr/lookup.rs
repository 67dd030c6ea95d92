//! The value that a path leads to in a scope.

use super::code::{DataPath, PathStep};
use super::filter::print_time;
use super::val::{Scope, Val};
use crate::value::Node;

impl DataPath {
    /// The text there, if the scope has a shortcut to it.
    #[inline]
    pub(super) fn short_text<'a>(&self, scope: &'a dyn Scope) -> Option<&'a str> {
        if let [PathStep::Key(key)] = &*self.steps { scope.text(&self.root, key) } else { None }
    }

    /// The value in a scope: undefined if any piece of it is.
    #[inline]
    pub(crate) fn read<'a>(&self, scope: &'a dyn Scope) -> Val<'a> {
        match scope.get(&self.root) {
            Some(Val::Node(node)) => self.read_packed(node),
            Some(val) => Self::walk(val, &self.steps),
            None if self.steps.is_empty() && &*self.root == "now" => Val::owned(print_time(scope.now())),
            None => Val::Undefined,
        }
    }

    /// Keys below a packed object: nothing but references moves until the value is found.
    #[inline]
    fn read_packed<'a>(&self, mut node: Node<'a>) -> Val<'a> {
        let mut steps = self.steps.iter();
        while let Some(PathStep::Key(key)) = steps.as_slice().first() {
            let Some(below) = node.get(key) else { return Val::Undefined };
            node = below;
            steps.next();
        }
        if steps.as_slice().is_empty() {
            Val::from(node)
        } else {
            Self::walk(Val::from(node), steps.as_slice())
        }
    }

    fn walk<'a>(mut val: Val<'a>, steps: &[PathStep]) -> Val<'a> {
        for step in steps {
            val = match step {
                PathStep::Key(key) => val.key(key),
                PathStep::Index(index) => val.index(*index),
            };
        }
        val
    }
}
