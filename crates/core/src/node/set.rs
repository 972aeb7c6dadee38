//! `set`: changes variables of the run and of the session.

use crate::template::Template;

#[derive(Debug)]
pub struct Set {
    /// Changes of `vars`, an object.
    pub vars: Template,
    /// Changes of `session`, an object. Empty where there are none.
    pub session: Template,
}

impl Set {
    pub fn changes_session(&self) -> bool {
        self.session.source().as_object().is_some_and(|map| !map.is_empty())
    }
}
