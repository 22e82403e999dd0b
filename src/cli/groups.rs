use std::io::Read as _;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use qingfeng_core::{
    groups::{self, GroupChannel, GroupKind, NewGroup, RobotKey, entity},
    people::{Actor, entity::staff},
    refusal::Fault,
    storage::Command,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::places;
use crate::{Application, Config};

/// 村民群和群机器人
#[derive(Debug, Args)]
pub(super) struct Groups {
    #[command(subcommand)]
    command: GroupsCommand,
}

#[derive(Debug, Subcommand)]
enum GroupsCommand {
    /// List the groups: id, kind, village, name. Keys are never shown.
    List,
    /// Set up a group. A robot's key, or the whole webhook address, is read from standard input: on the command line
    /// others on this machine would see it.
    Add {
        /// Name or code of the village.
        #[arg(long)]
        village: String,
        #[arg(long)]
        name: String,
        /// `wecom_robot`, `dingtalk_robot`, `feishu_robot`, `wecom_customer_group` (its id in the place of a key) or
        /// `ordinary_chat`.
        #[arg(long)]
        kind: GroupKind,
        #[command(flatten)]
        security: Security,
    },
    /// Put a new key in the place of a robot's old one; read from standard input like in `add`.
    RotateKey {
        /// The group's id, as `list` shows it.
        group: uuid::Uuid,
        #[command(flatten)]
        security: Security,
    },
    /// Name who puts prepared posts into an ordinary group; otherwise it is whoever leads the village.
    NameKeeper {
        /// The group's id, as `list` shows it.
        group: uuid::Uuid,
        /// The login of a member of staff.
        login: String,
    },
}

/// What the robot's security setting asks for besides the key.
#[derive(Debug, Args)]
struct Security {
    /// A signing secret stands on the second line of standard input.
    #[arg(long)]
    signed: bool,
    /// A word that each post must contain.
    #[arg(long)]
    keyword: Option<String>,
}

impl Groups {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<()> {
        // Read before anything is opened: a missing key leaves nothing behind.
        let key = match &self.command {
            GroupsCommand::List
            | GroupsCommand::NameKeeper { .. }
            | GroupsCommand::Add { kind: GroupKind::OrdinaryChat, .. } => None,
            GroupsCommand::Add { security, .. } | GroupsCommand::RotateKey { security, .. } => {
                Some(security.read_key(&mut std::io::stdin())?)
            }
        };
        let application = Application::start_real(config).await?;
        match (self.command, key) {
            (GroupsCommand::Add { village, name, kind, .. }, key) => {
                let channel = GroupChannel::of(kind, key).context("机器人要有密钥")?;
                let id = add(&application, &village, name, channel).await?;
                println!("已添加，编号 {id}");
            }
            (GroupsCommand::RotateKey { group, .. }, Some(key)) => {
                let known = named(&application, group).await?;
                let (county, command) = (known.county_id, Command::by(&Actor::System { county: known.county_id }));
                groups::rotate_key(&application.store, &command, &application.sealer, county, known.id, key).await?;
                println!("{}：密钥已更换", known.name);
            }
            (GroupsCommand::NameKeeper { group, login }, _) => {
                let known = named(&application, group).await?;
                let keeper = staff::Entity::find()
                    .filter(staff::Column::CountyId.eq(known.county_id))
                    .filter(staff::Column::Login.eq(login))
                    .one(application.store.reader())
                    .await
                    .map_err(Fault::from)?
                    .context("没有这个登录名的工作人员")?;
                let (county, command) = (known.county_id, Command::by(&Actor::System { county: known.county_id }));
                groups::prepared::name_keeper(&application.store, &command, county, known.id, keeper.id).await?;
                println!("{}：由{}转发", known.name, keeper.name);
            }
            _ => {
                let known = entity::Entity::find()
                    .order_by_asc(entity::Column::Id)
                    .all(application.store.reader())
                    .await
                    .map_err(Fault::from)?;
                for group in known {
                    let kind = serde_json::to_value(group.kind)?;
                    let retired = if group.active { "" } else { "  已停用，要换密钥" };
                    println!("{}  {}  {}{retired}", group.id, kind.as_str().unwrap_or_default(), group.name);
                }
            }
        }
        Ok(())
    }
}

async fn named(application: &Application, group: uuid::Uuid) -> anyhow::Result<entity::Model> {
    let known = entity::Entity::find_by_id(qingfeng_core::ids::GroupId(group)).one(application.store.reader()).await;
    let Some(known) = known.map_err(Fault::from)? else { bail!("没有这个群") };
    Ok(known)
}

impl Security {
    fn read_key(&self, input: &mut impl std::io::Read) -> anyhow::Result<RobotKey> {
        let mut typed = String::new();
        input.take(4096).read_to_string(&mut typed).context("读不到密钥")?;
        let mut lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut key = lines.next().and_then(RobotKey::parse).context("第一行应是机器人的密钥或完整的 Webhook 地址")?;
        if self.signed {
            key.signing_secret = Some(lines.next().context("第二行应是签名密钥")?.to_owned());
        }
        key.keyword.clone_from(&self.keyword);
        Ok(key)
    }
}

async fn add(
    application: &Application,
    village: &str,
    name: String,
    channel: GroupChannel,
) -> anyhow::Result<qingfeng_core::ids::GroupId> {
    let found = places::village(&application.store, village).await?;
    let township = found.parent_id.context("这个村没有上级乡镇")?;
    let (county, sealer) = (found.county_id, application.sealer.clone());
    let new = NewGroup { township, village: found.id, name, channel };
    let id = application
        .store
        .housekeeping(move |unit| Box::pin(async move { groups::add(unit, county, &sealer, new).await }))
        .await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_comes_from_standard_input_and_the_signing_secret_after_it() {
        let read =
            |signed, typed: &str| Security { signed, keyword: Some("清风".into()) }.read_key(&mut typed.as_bytes());
        let key = read(true, "https://oapi.dingtalk.com/robot/send?access_token=abc\n\n SECxyz \n").unwrap();
        assert_eq!((key.token.as_str(), key.signing_secret.as_deref()), ("abc", Some("SECxyz")));
        assert_eq!(key.keyword.as_deref(), Some("清风"));
        assert!(read(true, "abc\n").is_err());
        assert!(read(false, "").is_err());
        assert!(read(false, "密钥").is_err());
    }
}
