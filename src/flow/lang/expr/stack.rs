//! The values that an expression is at work with. The first few lie inline, so that a small
//! expression allocates nothing.

use super::val::Val;

/// Values that most expressions are content with: `(a + b) * c` has two at a time.
const INLINE: usize = 4;

pub(super) struct Stack<'a> {
    inline: [Val<'a>; INLINE],
    rest: Vec<Val<'a>>,
    len: usize,
}

impl<'a> Stack<'a> {
    pub(super) fn new() -> Self {
        Self { inline: [const { Val::Undefined }; INLINE], rest: Vec::new(), len: 0 }
    }

    pub(super) fn push(&mut self, val: Val<'a>) {
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = val,
            None => self.rest.push(val),
        }
        self.len = self.len.saturating_add(1);
    }

    /// Code takes what code has pushed, so there is one.
    pub(super) fn pop(&mut self) -> Val<'a> {
        self.len = self.len.saturating_sub(1);
        match self.inline.get_mut(self.len) {
            Some(slot) => std::mem::take(slot),
            None => self.rest.pop().unwrap_or_default(),
        }
    }

    /// The last so many, in the order in which they were pushed.
    pub(super) fn take(&mut self, count: usize) -> Vec<Val<'a>> {
        let mut taken: Vec<_> = (0..count.min(self.len)).map(|_| self.pop()).collect();
        taken.reverse();
        taken
    }

    pub(super) fn last(&self) -> Option<&Val<'a>> {
        let last = self.len.checked_sub(1)?;
        self.inline.get(last).or_else(|| self.rest.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_order_wherever_they_lie() {
        let int = |val: &Val<'_>| if let Val::Int(value) = val { *value } else { panic!("{val:?}") };
        for len in 0..=9 {
            let mut stack = Stack::new();
            (0..len).for_each(|value| stack.push(Val::Int(value)));
            assert_eq!(stack.last().map(int), (0..len).last());
            let taken: Vec<i64> = stack.take(3).iter().map(int).collect();
            assert_eq!(taken, (0..len).skip((len as usize).saturating_sub(3)).collect::<Vec<_>>());
            for value in (0..len.saturating_sub(3)).rev() {
                assert_eq!(int(&stack.pop()), value);
            }
            assert!(stack.last().is_none() && stack.pop().is_undefined());
        }
    }
}
