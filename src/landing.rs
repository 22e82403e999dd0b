//! The page at `/`: says what runs here and where to click; in a demo also whom to sign in as.

use qingfeng_core::people::sign_in;

use crate::{Application, demo};

pub(crate) fn page(application: &Application, screens_are_built: bool) -> String {
    let config = &application.config;
    let app = if screens_are_built {
        r#"<li><a href="/app/">村民与干部手机端</a></li>"#.to_owned()
    } else {
        "<li>手机端还没有编译：运行 <code>make run</code>，或在 <code>app/</code> 里运行 <code>npm ci &amp;&amp; npm run build:h5</code>。</li>"
            .to_owned()
    };
    let (refresh, accounts) = if config.http.demo {
        (r#"<meta http-equiv="refresh" content="15">"#, demo_accounts(application))
    } else {
        ("", String::new())
    };
    format!(
        r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{refresh}
<title>清风</title><style>body{{font:18px/1.7 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;max-width:40em;margin:2.5em auto;padding:0 1em;color:#1c2b26;background:#f7f9f8}}a{{color:#0b6b4f}}table{{border-collapse:collapse;width:100%;background:#fff}}td,th{{text-align:left;padding:.35em .6em;border-bottom:1px solid #dfe6e2}}code{{font-size:1.1em;letter-spacing:.05em}}</style></head>
<body><h1>清风</h1><p>整改好不好，群众说了算。</p><ul>{app}<li><a href="/docs/">接口说明（OpenAPI）</a></li></ul>{accounts}</body></html>"#
    )
}

/// Accounts with the code that their authenticator shows now: only where everybody knows the passwords anyway.
fn demo_accounts(application: &Application) -> String {
    let seconds = u64::try_from(application.store.clock().now().timestamp()).unwrap_or(0);
    let rows: String = demo::accounts()
        .iter()
        .map(|account| {
            let code = sign_in::authenticator(account.totp_secret())
                .map(|authenticator| authenticator.generate(seconds).to_string())
                .unwrap_or_default();
            format!(
                "<tr><td>{}</td><td><code>{}</code></td><td><code>{code}</code></td></tr>",
                account.label, account.login
            )
        })
        .collect();
    format!(
        r#"<h2>演示</h2><p>村民的手机和村民群在<a href="http://{}/sandbox/">模拟微信</a>里：选一部村民手机，点“打开小程序”。干部用下面的账号登录，密码都是 <code>{}</code>。</p>
<table><thead><tr><th>身份</th><th>账号</th><th>动态码（每30秒变）</th></tr></thead><tbody>{rows}</tbody></table>"#,
        application.config.sandbox.bind,
        demo::PASSWORD,
    ) + &cards(application)
}

/// Paper that the co-signer hands out, one card to a person: in the demo they all lie here.
fn cards(application: &Application) -> String {
    let cards = demo::cards(&application.config);
    if cards.is_empty() {
        return String::new();
    }
    let rows: String = cards
        .iter()
        .map(|card| format!("<tr><td>{}</td><td><code>{}</code></td></tr>", card.phone, card.code))
        .collect();
    format!(
        r#"<h2>登记卡（背靠背测评用）</h2><p>登记卡由<a href="{}/app/">县里的联署人</a>印发，每人一张，镇里没有卡上的码。演示里都摆在这里：在村民手机上打开“背靠背测评”，到县里的网页去答，用这部手机的卡登记。</p>
<table><thead><tr><th>手机</th><th>卡上的码</th></tr></thead><tbody>{rows}</tbody></table>"#,
        application.config.ballots.cosigner_address(),
    )
}
