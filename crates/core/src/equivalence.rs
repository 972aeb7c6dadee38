use crate::call::Target;

#[derive(Clone, Debug, Default)]
pub struct Equivalence {}

impl Equivalence {
    pub fn counterpart(&self, _target: &Target) -> Option<Target> {
        None
    }
}
