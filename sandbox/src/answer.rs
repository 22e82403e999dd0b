//! Answers in the platforms' manner: HTTP 200 with a code in the body, a content type nobody may rely on, and an error
//! message with changing tails, so that a client that branches on any of these fails here and not in production.

use actix_web::HttpResponse;
use serde_json::{Value, json};

/// A logical failure: code and message of the platform.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: i64,
    pub(crate) message: String,
}

pub(crate) fn refused<T>(code: i64, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { code, message: message.into() })
}

/// The code that the platform decided on, for the journal.
#[derive(Clone, Copy)]
pub(crate) struct Decision(pub(crate) i64);

/// The simple interfaces answer `text/plain`, the `cgi-bin` ones a JSON type with a parameter that does not exist.
pub(crate) enum Manner {
    Plain,
    CgiBin,
    WeCom,
}

impl Manner {
    fn content_type(&self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::CgiBin => "application/json; encoding=utf-8",
            Self::WeCom => "application/json; charset=UTF-8",
        }
    }

    fn message(&self, refused: &Refused) -> String {
        let tail = hex::encode(rand::random::<[u8; 10]>());
        match self {
            Self::Plain | Self::CgiBin => {
                format!("{} rid: {}-{}-{}", refused.message, &tail[..8], &tail[8..14], &tail[14..])
            }
            Self::WeCom => format!(
                "{}, hint: [{}], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={}",
                refused.message, tail, refused.code
            ),
        }
    }
}

pub(crate) fn answer(manner: &Manner, result: Result<Value, Refused>) -> HttpResponse {
    let (code, body) = match result {
        Ok(body) => (0, body),
        Err(refused) => (refused.code, json!({"errcode": refused.code, "errmsg": manner.message(&refused)})),
    };
    let mut response = HttpResponse::Ok().content_type(manner.content_type()).body(body.to_string());
    response.extensions_mut().insert(Decision(code));
    response
}

/// As [`answer`]; WeCom's errors carry the result's lists, empty.
pub(crate) fn answer_with_lists(lists: &[&str], result: Result<Value, Refused>) -> HttpResponse {
    let Err(refused) = result else { return answer(&Manner::WeCom, result) };
    let mut body = json!({"errcode": refused.code, "errmsg": Manner::WeCom.message(&refused)});
    for list in lists {
        body[*list] = json!([]);
    }
    let mut response = HttpResponse::Ok().content_type(Manner::WeCom.content_type()).body(body.to_string());
    response.extensions_mut().insert(Decision(refused.code));
    response
}

/// Parameters of the query; a repeated one keeps its last value.
pub(crate) struct Parameters(std::collections::HashMap<String, String>);

impl Parameters {
    pub(crate) fn of(request: &actix_web::HttpRequest) -> Self {
        Self(url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect())
    }

    /// An absent and an empty parameter are the same to the platforms.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// An interface that this simulator does not have, or nobody has.
pub(crate) async fn not_simulated(request: actix_web::HttpRequest) -> HttpResponse {
    tracing::warn!(path = request.path(), "not simulated");
    let mut response = HttpResponse::NotFound().json(json!({"errcode": 40066, "errmsg": "invalid url"}));
    response.extensions_mut().insert(Decision(40066));
    response
}
