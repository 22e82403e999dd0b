//! Phones and what their owners do with them.

use serde::{Deserialize, Serialize};

/// A person's phone, known to the mini-program by its openid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    pub openid: String,
    /// What the official account calls the person; made up where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_openid: Option<String>,
    pub label: String,
    /// Who this is in the story, as in `村民 东河村 3 组`.
    #[serde(default)]
    pub persona: Option<String>,
    /// The person as a member of the corporation at WeCom, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wecom_user_id: Option<String>,
    /// The platform refuses this person's login (40226).
    #[serde(default)]
    pub blocked: bool,
}

impl Phone {
    pub fn new(openid: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            openid: openid.into(),
            official_openid: None,
            label: label.into(),
            persona: None,
            wecom_user_id: None,
            blocked: false,
        }
    }

    /// The official account calls the person like this.
    #[must_use]
    pub fn at_official_account(mut self, openid: impl Into<String>) -> Self {
        self.official_openid = Some(openid.into());
        self
    }

    #[must_use]
    pub fn at_wecom(mut self, user_id: &str) -> Self {
        self.wecom_user_id = Some(user_id.to_lowercase());
        self
    }

    #[must_use]
    pub fn with_persona(mut self, persona: impl Into<String>) -> Self {
        self.persona = Some(persona.into());
        self
    }
}
