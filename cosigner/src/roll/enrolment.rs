//! 登记: a phone becomes somebody's by her card, without the platform.

use std::net::IpAddr;

use qingfeng_ballots::{Hex, ballot::is_signed_by, codes::Code, messages};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    storage::entity::people,
};

/// A phone shows the card's code and its own key, and signs with the key that both belong together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    pub code: String,
    pub device: Hex<32>,
    pub signature: Hex<64>,
}

/// Whose phone it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    pub resident: Uuid,
    pub village_name: String,
    #[serde(skip)]
    pub again: bool,
}

impl Authority {
    /// Enrols a phone; the same once more is answered the same.
    ///
    /// # Errors
    /// Refuses a mistyped or unknown code, a card that another phone used, a key that somebody else has, a bad signature,
    /// and who guesses.
    pub async fn enrol(&self, enrolment: &Enrolment, caller: IpAddr) -> Result<Enrolled, Fault> {
        self.guesses.admit(caller, self.clock.now(), &*self.randomness)?;
        let code = Code::parse(&enrolment.code)
            .map_err(|_| Refusal::new(Kind::BadInput, "bad_code", "登记卡上的码输错了，请对照卡片再输一次。"))?;
        let message = messages::enrolment(&code.hash(), &enrolment.device);
        if !is_signed_by(&enrolment.device, &message, &enrolment.signature) {
            return Err(Refusal::new(Kind::Unauthenticated, "bad_signature", "手机的签名不对，请重新登记。").into());
        }
        let transaction = self.store.begin().await?;
        let person = people::Entity::find()
            .filter(people::Column::CardHash.eq(code.hash().as_slice()))
            .lock_exclusive()
            .one(&transaction)
            .await?;
        let Some(person) = person else {
            drop(transaction);
            self.guesses.wrong(caller);
            return Err(Refusal::new(Kind::NotFound, "unknown_card", "没有这张登记卡，请对照卡片再输一次。").into());
        };
        let device = enrolment.device.as_slice().to_vec();
        let again = match &person.device {
            Some(held) if *held == device => true,
            Some(_) => {
                let sentence = "这张登记卡已经在另一部手机上用过。手机丢了或换了，请找发卡的工作人员补卡。";
                return Err(Refusal::conflict("card_used", sentence).into());
            }
            None => false,
        };
        if !again {
            let holders =
                people::Entity::find().filter(people::Column::Device.eq(device.clone())).one(&transaction).await?;
            if holders.is_some() {
                let sentence = "这把手机密钥已经登记给别人，请在手机上重新开始登记。";
                return Err(Refusal::conflict("device_used", sentence).into());
            }
            people::Entity::update_many()
                .col_expr(people::Column::Device, Expr::value(device))
                .filter(people::Column::Resident.eq(person.resident))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Enrolled { resident: person.resident, village_name: person.village_name, again })
    }
}
