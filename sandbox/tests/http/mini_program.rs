//! Sessions, links, codes and checks of a mini-program.

use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use qingfeng_sandbox::{EventFormat, Fault, FaultKind, Platform as Which};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    account_server::AccountServer,
    platform::{Platform, code},
};

/// The platform's clock in these tests.
const NOW: i64 = 1_795_485_600;
const DAY: i64 = 86_400;

fn signature(key: &str) -> String {
    hex::encode(Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().finalize().into_bytes())
}

impl Platform {
    async fn session_key(&self) -> String {
        let login = self.sandbox.login_code("o-villager");
        self.exchange(&login).await["session_key"].as_str().unwrap().to_owned()
    }

    async fn session(&self, call: &str, key: &str) -> Value {
        let token = self.token().await;
        let query =
            format!("access_token={token}&openid=o-villager&signature={}&sig_method=hmac_sha256", signature(key));
        self.get(&format!("/wechat/wxa/{call}?{query}")).await
    }

    async fn wxa(&self, call: &str, body: &Value) -> Value {
        let token = self.token().await;
        self.post(&format!("/wechat/wxa/{call}?access_token={token}"), body).await
    }
}

#[tokio::test]
async fn only_the_newest_session_key_is_good() {
    let platform = Platform::start().await;
    assert_eq!(code(&platform.session("checksession", "nothing").await), 87009, "no session");
    assert_eq!(code(&platform.session("resetusersessionkey", "nothing").await), 87007);
    let old = platform.session_key().await;
    let new = platform.session_key().await;
    assert_eq!(code(&platform.session("checksession", &old).await), 87009, "a later login rotated it");
    assert_eq!(code(&platform.session("checksession", &new).await), 0);
    let reset = platform.session("resetusersessionkey", &new).await;
    assert_eq!((code(&reset), reset["openid"].as_str()), (0, Some("o-villager")));
    assert_eq!(code(&platform.session("checksession", &new).await), 87009);
    assert_eq!(code(&platform.session("checksession", reset["session_key"].as_str().unwrap()).await), 0);
    let token = platform.token().await;
    let query = format!("access_token={token}&openid=o-villager&signature=x&sig_method=md5");
    assert_eq!(code(&platform.get(&format!("/wechat/wxa/checksession?{query}")).await), 87008);
    assert_eq!(code(&platform.get("/wechat/wxa/checksession?access_token=x").await), 40014);
    platform.sandbox.phone("o-villager").end_session();
    assert_eq!(code(&platform.session("resetusersessionkey", &new).await), 87007);
}

#[tokio::test]
async fn of_many_who_exchange_one_code_at_once_one_gets_the_person() {
    let platform = Platform::start().await;
    let login = platform.sandbox.login_code("o-villager");
    let answers = futures::future::join_all((0..8).map(|_| platform.exchange(&login))).await;
    let mut codes: Vec<i64> = answers.iter().map(code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [[0].as_slice(), &[40163; 7]].concat());
}

#[tokio::test]
async fn who_logs_in_too_often_is_told_to_slow_down_and_keeps_the_code() {
    let platform = Platform::start().await;
    let mut limits = platform.sandbox.limits();
    limits.logins_a_minute = 2;
    platform.sandbox.set_limits(limits);
    let exchange = async || code(&platform.exchange(&platform.sandbox.login_code("o-villager")).await);
    assert_eq!((exchange().await, exchange().await), (0, 0));
    let login = platform.sandbox.login_code("o-villager");
    assert_eq!(code(&platform.exchange(&login).await), 45011);
    assert_eq!(code(&platform.exchange(&platform.sandbox.login_code("o-other")).await), 0, "each person by itself");
    platform.pass(TimeDelta::minutes(1));
    assert_eq!(code(&platform.exchange(&login).await), 0);
    let fast = Fault::new(Which::WeChat, FaultKind::Refuse { code: 45011 }).at("/sns/jscode2session").times(1);
    platform.sandbox.inject(fast);
    assert_eq!((exchange().await, exchange().await), (45011, 0), "also on demand");
}

#[tokio::test]
async fn what_the_phone_encrypted_opens_with_the_session_key_and_is_remembered_for_three_days() {
    let platform = Platform::start().await;
    let phone = platform.sandbox.phone("o-villager");
    assert!(phone.encrypted_number("13800000000").is_none(), "no session");
    let key: [u8; 16] = STANDARD.decode(platform.session_key().await).unwrap().try_into().unwrap();
    let data = phone.encrypted_number("13800000000").unwrap();
    let iv: [u8; 16] = STANDARD.decode(&data.iv).unwrap().try_into().unwrap();
    let cipher = cbc::Decryptor::<aes::Aes128>::new(&key.into(), &iv.into());
    let opened = cipher.decrypt_padded_vec_mut::<Pkcs7>(&STANDARD.decode(&data.encrypted_data).unwrap()).unwrap();
    let opened: Value = serde_json::from_slice(&opened).unwrap();
    assert_eq!(
        (&opened["phoneNumber"], &opened["watermark"]["appid"]),
        (&json!("13800000000"), &json!("wxsandbox0000000001"))
    );

    let check =
        async |hash: &str| platform.wxa("business/checkencryptedmsg", &json!({"encrypted_msg_hash": hash})).await;
    let hash = hex::encode(Sha256::digest(data.encrypted_data.as_bytes()));
    let known = check(&hash).await;
    assert_eq!((known["vaild"].as_bool(), known["create_time"].as_i64()), (Some(true), Some(NOW)));
    assert_eq!(code(&check(&"0".repeat(64)).await), 1);
    assert_eq!(code(&check("short").await), 40097);
    assert_eq!(code(&check("").await), 44002);
    platform.pass(TimeDelta::days(3));
    assert_eq!(code(&check(&hash).await), 1);
}

fn link(change: impl FnOnce(&mut Value)) -> Value {
    let mut link = json!({"path": "pages/index/index", "query": "a=1%20", "env_version": "release", "expire_type": 1, "expire_interval": 30});
    change(&mut link);
    link
}

#[rstest]
#[case(link(|_| ()), 0)]
#[case(link(|link| link["path"] = "pages/gone/gone".into()), 40165)]
#[case(link(|link| link["path"] = "pages/index/index?a=1".into()), 40165)]
#[case(link(|link| link["query"] = "村=1".into()), 40212)]
#[case(link(|link| link["query"] = "a".repeat(1024).into()), 0)]
#[case(link(|link| link["query"] = "a".repeat(1025).into()), 40212)]
#[case(link(|link| link["env_version"] = "formal".into()), 85402)]
#[case(link(|link| link["env_version"] = "develop".into()), 0)]
#[case(link(|link| link["expire_interval"] = 31.into()), 85401)]
#[case(link(|link| link["expire_type"] = 2.into()), 85401)]
#[case(link(|link| { link["expire_type"] = 0.into(); link["expire_time"] = (NOW + 60).into(); }), 85401)]
#[case(link(|link| { link["expire_type"] = 0.into(); link["expire_time"] = (NOW + 61).into(); }), 0)]
#[case(link(|link| { link["expire_type"] = 0.into(); link["expire_time"] = (NOW + 30 * DAY + 1).into(); }), 85401)]
#[case(link(|link| link["cloud_base"] = json!({"env": "x"})), 85088)]
#[case(link(|link| link["colour"] = "red".into()), 47001)]
#[tokio::test]
async fn a_link_is_checked(#[case] link: Value, #[case] expected: i64) {
    let platform = Platform::with(|settings| settings.account.pages = vec!["pages/index/index".into()]).await;
    let answer = platform.wxa("generate_urllink", &link).await;
    assert_eq!(code(&answer), expected, "{answer}");
    assert_eq!(answer["url_link"].is_string(), expected == 0);
}

#[tokio::test]
async fn links_and_schemes_are_counted_together_by_second_and_day() {
    let platform = Platform::start().await;
    let mut limits = platform.sandbox.limits();
    (limits.links_a_second, limits.links_a_day) = (2, 4);
    platform.sandbox.set_limits(limits);
    let scheme =
        json!({"jump_wxa": {"path": "pages/index/index"}, "is_expire": true, "expire_type": 1, "expire_interval": 1});
    let both = async || {
        let link = code(&platform.wxa("generate_urllink", &link(|_| ())).await);
        (link, code(&platform.wxa("generatescheme", &scheme).await))
    };
    assert_eq!(both().await, (0, 0));
    assert_eq!(both().await, (44990, 44990));
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(both().await, (0, 0));
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(both().await, (44993, 44993));
    platform.pass(TimeDelta::hours(14));
    assert_eq!(both().await, (0, 0), "a new day in Beijing");
    let mut endless = scheme.clone();
    endless["is_expire"] = false.into();
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(code(&platform.wxa("generatescheme", &endless).await), 85401);
}

#[rstest]
#[case(json!({"scene": "v=1", "page": "pages/index/index"}), None)]
#[case(json!({"scene": "v=1", "page": "pages/gone/gone"}), Some(41030))]
#[case(json!({"scene": "v=1", "page": "pages/gone/gone", "check_path": false}), None)]
#[case(json!({"scene": "v=1", "page": "/pages/index/index"}), Some(41030))]
#[case(json!({"scene": "%E6", "page": "pages/index/index"}), Some(40129))]
#[case(json!({"scene": "a".repeat(33)}), Some(40169))]
#[case(json!({"scene": "v=1", "width": 279}), Some(40097))]
#[case(json!({"scene": "v=1", "env_version": "formal"}), Some(40097))]
#[case(json!({"scene": "v=1", "line_color": {"r": 0, "g": 0, "b": 0}, "is_hyaline": true, "auto_color": false}), None)]
#[case(json!({"scene": "v=1", "shape": "round"}), Some(47001))]
#[tokio::test]
async fn a_code_is_a_picture_or_says_why_not(#[case] body: Value, #[case] refused: Option<i64>) {
    let platform = Platform::with(|settings| settings.account.pages = vec!["pages/index/index".into()]).await;
    let token = platform.token().await;
    let url = platform.url(&format!("/wechat/wxa/getwxacodeunlimit?access_token={token}"));
    let answer = platform.client.post(url).body(body.to_string()).send().await.unwrap().bytes().await.unwrap();
    match refused {
        None => assert!(answer.starts_with(b"\x89PNG")),
        Some(expected) => assert_eq!(code(&serde_json::from_slice(&answer).unwrap()), expected),
    }
}

async fn media_server() -> String {
    use actix_web::{App, HttpResponse, HttpServer, web};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = || {
        App::new()
            .route("/good.png", web::get().to(async || HttpResponse::Ok().body("\u{89}PNG")))
            .route("/bad.png", web::get().to(async || HttpResponse::Ok().body("\u{89}PNG 违禁词")))
    };
    tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
    address
}

#[rstest]
#[case(EventFormat::Xml)]
#[case(EventFormat::Json)]
#[tokio::test]
async fn a_picture_is_fetched_and_judged_later(#[case] format: EventFormat) {
    let server = AccountServer::start(vec![]);
    let platform = Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.account.event_format = format;
    })
    .await;
    let media = media_server().await;
    let check = |file: &str| json!({"media_url": format!("{media}/{file}"), "media_type": 2, "version": 2, "scene": 3, "openid": "o-villager"});
    assert_eq!(code(&platform.wxa("media_check_async", &check("good.png")).await), 61010, "not seen lately");
    platform.session_key().await;
    for (number, (file, expected)) in
        [("good.png", "pass"), ("bad.png", "risky"), ("gone.png", "-1008")].into_iter().enumerate()
    {
        let answer = platform.wxa("media_check_async", &check(file)).await;
        assert_eq!(code(&answer), 0, "{answer}");
        let event = server.wait_for(number + 1).await.pop().unwrap();
        assert!(event.contains("wxa_media_check") && event.contains(answer["trace_id"].as_str().unwrap()), "{event}");
        assert!(event.contains(expected), "{expected} in {event}");
    }
    for (field, value, expected) in [
        ("media_type", json!(3), 40004),
        ("scene", json!(5), 40129),
        ("openid", json!("o-nobody"), 40003),
        ("x", json!(1), 47001),
    ] {
        let mut wrong = check("good.png");
        wrong[field] = value;
        assert_eq!(code(&platform.wxa("media_check_async", &wrong).await), expected, "{wrong}");
    }
}

#[tokio::test]
async fn the_same_picture_is_not_checked_twice_at_once_and_checks_are_rationed() {
    let platform = Platform::start().await;
    platform.session_key().await;
    let hole =
        qingfeng_sandbox::BlackHole::open("127.0.0.1:0".parse().unwrap(), qingfeng_sandbox::Silence::NeverAnswers);
    let hole = hole.await.unwrap();
    let check = |file: &str| json!({"media_url": format!("http://{}/{file}", hole.address), "media_type": 2, "version": 2, "scene": 3, "openid": "o-villager"});
    assert_eq!(code(&platform.wxa("media_check_async", &check("1")).await), 0);
    assert_eq!(code(&platform.wxa("media_check_async", &check("1")).await), 87020);
    let mut limits = platform.sandbox.limits();
    (limits.media_checks_a_minute, limits.text_checks_a_day) = (2, 1);
    platform.sandbox.set_limits(limits);
    assert_eq!(code(&platform.wxa("media_check_async", &check("2")).await), 0);
    assert_eq!(code(&platform.wxa("media_check_async", &check("3")).await), 44991);
    platform.pass(TimeDelta::minutes(1));
    assert_eq!(code(&platform.wxa("media_check_async", &check("3")).await), 0, "what was refused is not being checked");
    let text = json!({"content": "路修好了", "version": 2, "scene": 3, "openid": "o-villager", "title": "违禁词"});
    assert_eq!(platform.wxa("msg_sec_check", &text).await["result"]["suggest"], "risky", "the title counts");
    assert_eq!(code(&platform.wxa("msg_sec_check", &text).await), 45009);
}
