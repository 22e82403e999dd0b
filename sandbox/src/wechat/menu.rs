//! The menu under the chat with the official account.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

/// Buttons beside each other, and above each.
const BUTTONS: usize = 3;
const SUB_BUTTONS: usize = 5;
/// Bytes of a name beside the others and above another, and of a key.
const NAME_BYTES: usize = 16;
const SUB_NAME_BYTES: usize = 60;
const KEY_BYTES: usize = 128;

/// None at first.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Menu {
    #[serde(default)]
    button: Vec<MenuButton>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MenuButton {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    sub_button: Vec<MenuButton>,
}

impl Menu {
    /// Those that are told to the account when they are tapped.
    pub(crate) fn clicks(&self) -> impl Iterator<Item = &MenuButton> {
        let all = self.button.iter().flat_map(|button| std::iter::once(button).chain(&button.sub_button));
        all.filter(|button| button.kind == "click")
    }

    pub(crate) fn button(&self, key: &str) -> Option<&MenuButton> {
        self.clicks().find(|button| button.key == key)
    }

    pub(crate) fn check(&self) -> Result<(), Refused> {
        if self.button.is_empty() || self.button.len() > BUTTONS {
            return refused(40016, "invalid button size");
        }
        for button in &self.button {
            button.check(NAME_BYTES)?;
            if button.sub_button.len() > SUB_BUTTONS {
                return refused(40023, "invalid sub button size");
            }
            for sub in &button.sub_button {
                sub.check(SUB_NAME_BYTES)?;
                if !sub.sub_button.is_empty() {
                    return refused(40022, "invalid sub button level");
                }
            }
        }
        Ok(())
    }
}

impl MenuButton {
    fn check(&self, name_bytes: usize) -> Result<(), Refused> {
        if self.name.is_empty() || self.name.len() > name_bytes {
            return refused(40018, "invalid button name size");
        }
        match self.kind.as_str() {
            _ if !self.sub_button.is_empty() => Ok(()),
            "click" if self.key.is_empty() || self.key.len() > KEY_BYTES => refused(40019, "invalid button key size"),
            "view" if self.url.is_empty() => refused(40020, "invalid button url size"),
            "click" | "view" => Ok(()),
            _ => refused(40017, "invalid button type"),
        }
    }
}

pub(super) async fn create(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = |state: &mut State| -> Result<Value, Refused> {
        state.only_official_account(parameters.get("access_token"), now)?;
        let menu: Menu =
            serde_json::from_slice(&body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
        menu.check()?;
        state.menu = menu;
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    };
    answer(&Manner::CgiBin, result(&mut sandbox.state()))
}
