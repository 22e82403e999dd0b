//! 登记卡: a printed code per person. The code is shown once, on paper, and not kept.

use qingfeng_ballots::{codes::Code, messages::audit_commitment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    print::{escaped, qr, sheet},
    storage::entity::{cosignings, people, surveys},
    surveys::{MinuteKind, State},
};

/// A card to print.
#[derive(Debug)]
pub struct Card {
    pub resident: Uuid,
    pub name: String,
    pub village_name: String,
    pub code: Code,
}

impl Authority {
    /// Makes cards for everybody of the village who has none yet. Their codes exist only in what is returned: print it.
    ///
    /// # Errors
    /// When the database does not answer or there is no randomness.
    pub async fn make_cards(&self, village: Uuid) -> Result<Vec<Card>, Fault> {
        let transaction = self.store.begin().await?;
        let people = people::Entity::find()
            .filter(people::Column::Village.eq(village))
            .filter(people::Column::CardHash.is_null())
            .order_by_asc(people::Column::Name)
            .order_by_asc(people::Column::Resident)
            .lock_exclusive()
            .all(&transaction)
            .await?;
        let mut cards = Vec::with_capacity(people.len());
        for person in people {
            cards.push(self.new_card(&transaction, person).await?);
        }
        transaction.commit().await?;
        Ok(cards)
    }

    /// A new card for somebody who lost card or phone; the old card and the old phone count no more. Minuted: the number is
    /// published.
    ///
    /// # Errors
    /// Refuses whom the roll does not name, and who already drew a credential in a survey that runs: the old phone
    /// could answer, too.
    pub async fn reissue_card(&self, resident: Uuid) -> Result<Card, Fault> {
        let transaction = self.store.begin().await?;
        let person = people::Entity::find_by_id(resident)
            .lock_exclusive()
            .one(&transaction)
            .await?
            .ok_or_else(|| Refusal::new(Kind::NotFound, "not_on_roll", "名册里没有这个人。"))?;
        if drew_in_running_survey(&transaction, resident).await? {
            let sentence = "正在进行的测评里，他（她）已经领过票，结束之前不能补卡。";
            return Err(Refusal::conflict("already_issued", sentence).into());
        }
        let village_name = person.village_name.clone();
        let card = self.new_card(&transaction, person).await?;
        let content = format!("{village_name}补发登记卡1张");
        self.minute(&transaction, MinuteKind::CardReissued, None, &content, &[]).await?;
        transaction.commit().await?;
        Ok(card)
    }

    async fn new_card(&self, connection: &impl ConnectionTrait, person: people::Model) -> Result<Card, Fault> {
        let code = Code::generate(&*self.randomness)?;
        let card = Card {
            resident: person.resident,
            name: person.name.clone(),
            village_name: person.village_name.clone(),
            code: code.clone(),
        };
        let mut row = person.into_active_model();
        row.card_hash = Set(Some(code.hash().as_slice().to_vec()));
        row.commitment = Set(Some(audit_commitment(&code.card_secret()).as_slice().to_vec()));
        row.device = Set(None);
        row.update(connection).await?;
        Ok(card)
    }
}

async fn drew_in_running_survey(connection: &impl ConnectionTrait, resident: Uuid) -> Result<bool, Fault> {
    let drawn: Vec<Vec<u8>> = cosignings::Entity::find()
        .select_only()
        .column(cosignings::Column::Sid)
        .filter(cosignings::Column::Resident.eq(resident))
        .into_tuple()
        .all(connection)
        .await?;
    let running = surveys::Entity::find()
        .filter(surveys::Column::Sid.is_in(drawn))
        .filter(surveys::Column::State.is_in([State::Agreed, State::Open]))
        .one(connection)
        .await?;
    Ok(running.is_some())
}

/// The sheet of cards to print. `address` is where phones reach the co-signer.
///
/// # Errors
/// When a QR code cannot be made.
pub fn cards_sheet(cards: &[Card], address: &str) -> Result<Zeroizing<String>, Fault> {
    let mut pieces = Vec::with_capacity(cards.len());
    for card in cards {
        let code = card.code.to_print();
        // After the #: what stands there no browser sends to a server.
        let link = format!("{}/app/#/pages/sealed-surveys/enrol?code={}", address.trim_end_matches('/'), *code);
        pieces.push(format!(
            "<section><div class=\"row\"><div><h2>登记卡</h2><p><b>{}</b>　{}</p><p class=\"code\">{}</p></div>{}</div>\
             <p>用自己的手机扫码，或在“背靠背测评”里输入上面的码，这部手机就登记为您的。每张卡只能登记一部手机。\
             请勿给别人看；不要拍照。卡由县里的联署人发放，乡镇和村里都没有这个码。</p></section>",
            escaped(&card.name),
            escaped(&card.village_name),
            *code,
            qr(&link)?
        ));
    }
    let style = "section{height:68mm}.row{display:flex;justify-content:space-between}";
    Ok(Zeroizing::new(sheet("登记卡", style, &pieces)))
}

/// The same as JSON lines, for a printing house with a layout of its own.
#[must_use]
pub fn cards_lines(cards: &[Card]) -> Zeroizing<String> {
    let mut lines = Zeroizing::new(String::new());
    for Card { resident, name, village_name, code } in cards {
        let line = serde_json::json!({
            "resident": resident, "name": name, "village_name": village_name, "code": *code.to_print(),
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}
