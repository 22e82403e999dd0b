use qingfeng_ballots::messages::SurveyId;
use zeroize::Zeroizing;

use super::Batch;
use crate::{
    fault::Fault,
    print::{escaped, qr, sheet},
};

/// The sheet of slips: eight to a page, folded in the middle so that the code is inside.
///
/// # Errors
/// When a QR code cannot be made.
pub fn slips_sheet(batch: &Batch, sid: &SurveyId, address: &str) -> Result<Zeroizing<String>, Fault> {
    let mut pieces = Vec::with_capacity(batch.codes.len());
    for code in &batch.codes {
        let printed = code.to_print();
        // After the #: what stands there no browser sends to a server.
        let link =
            format!("{}/app/#/pages/sealed-surveys/slip?sid={sid}&code={}", address.trim_end_matches('/'), *printed);
        pieces.push(format!(
            "<section><div class=\"outside\"><h2>纸票</h2><p>{}</p><p>自己从袋里抽，抽到后再打开。</p><p class=\"box\">票箱号 {sid}</p></div>\
             <div class=\"inside\">{}<div><p class=\"code\">{}</p><p>扫码作答，或填纸表时把这个码抄在表上。\
             码只用一次，不要给别人看。</p></div></div></section>",
            escaped(&batch.title),
            qr(&link)?,
            *printed
        ));
    }
    // Two columns of four: an eighth of the page each; the fold is the dotted line.
    let style = "section{height:69mm;padding:0}.outside{height:31mm;padding:4mm;border-bottom:1px dotted #888;\
                 transform:rotate(180deg)}.inside{height:37mm;padding:3mm;display:flex;gap:3mm;font-size:8pt}\
                 .inside .code{font-size:8.5pt}.box{font-size:7pt;font-family:monospace}";
    Ok(Zeroizing::new(sheet("纸票", style, &pieces)))
}
