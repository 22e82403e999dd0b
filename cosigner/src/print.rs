//! Sheets to print: HTML without scripts and without anything from elsewhere.

use qrcode::{EcLevel, QrCode, render::svg};

use crate::fault::Fault;

/// A QR code as an SVG element, scaled by the sheet's style.
pub(crate) fn qr(content: &str) -> Result<String, Fault> {
    let code = QrCode::with_error_correction_level(content, EcLevel::M).map_err(Fault::unavailable)?;
    let image = code.render::<svg::Color<'_>>().quiet_zone(true).min_dimensions(160, 160).build();
    // The XML declaration has no place inside HTML.
    let start = image.find("<svg").ok_or_else(|| Fault::unavailable("no QR code"))?;
    Ok(image[start..].to_owned())
}

/// What may stand in HTML as it is.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A whole sheet of equal pieces, cut along dashed lines.
pub(crate) fn sheet(title: &str, style: &str, pieces: &[String]) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{}</title><style>{SHEET_STYLE}{style}</style></head>\n\
         <body>\n{}\n</body></html>\n",
        escaped(title),
        pieces.join("\n")
    )
}

const SHEET_STYLE: &str = "@page{size:A4;margin:8mm}*{box-sizing:border-box}\
body{margin:0;font-family:'Source Han Sans SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif;font-size:10pt;line-height:1.45;\
display:grid;grid-template-columns:1fr 1fr;color:#000}\
section{border:1px dashed #888;padding:4mm;break-inside:avoid;overflow:hidden}\
h2{font-size:12pt;margin:0 0 1mm}p{margin:0 0 1mm}svg{display:block;width:26mm;height:26mm}\
.code{font-family:'DejaVu Sans Mono',Consolas,monospace;font-size:11pt;letter-spacing:.5px;white-space:nowrap}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_html() {
        assert_eq!(escaped("<b>\"&"), "&lt;b&gt;&quot;&amp;");
        assert!(qr("http://127.0.0.1/#/x").unwrap().starts_with("<svg"));
    }
}
