//! The menu under the chat with the application.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
    wechat::Menu,
};

pub(super) async fn create(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = |state: &mut State| -> Result<Value, Refused> {
        state.wecom_app.check(parameters.get("access_token"), now)?;
        match parameters.get("agentid") {
            "" => return refused(41011, "agentid missing"),
            agent if agent != state.wecom_account.agent_id.to_string() => return refused(40056, "invalid agentid"),
            _ => {}
        }
        let menu: Menu =
            serde_json::from_slice(&body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
        menu.check()?;
        state.wecom_menu = menu;
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    };
    answer(&Manner::WeCom, result(&mut sandbox.state()))
}
