//! The page at `/`: says what runs here and where to click.

pub(crate) fn page(screens_are_built: bool) -> String {
    let app = if screens_are_built {
        r#"<li><a href="/app/">村民与干部手机端</a></li>"#
    } else {
        "<li>手机端还没有编译：运行 <code>make run</code>，或在 <code>app/</code> 里运行 <code>npm ci &amp;&amp; npm run build:h5</code>。</li>"
    };
    format!(
        r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>清风</title><style>body{{font:18px/1.7 system-ui,sans-serif;max-width:34em;margin:3em auto;padding:0 1em;color:#1c2b26}}a{{color:#0b6b4f}}</style></head>
<body><h1>清风</h1><p>整改好不好，群众说了算。</p><ul>{app}<li><a href="/docs/">接口说明（OpenAPI）</a></li></ul></body></html>"#
    )
}
