//! A complaint on its way through the township, act by act.

use qingfeng_core::{ids::StaffId, people::Role};
use serde_json::{Value, json};

use super::{Answer, Person, TestServer, Township, Village};

/// A township with everybody a complaint needs.
pub struct Cast<'a> {
    pub township: Township<'a>,
    pub village: Village,
    pub resident: Person,
    pub office: Person,
    pub leader: Person,
    pub secretary: Person,
    pub secretary_id: StaffId,
}

impl<'a> Cast<'a> {
    pub async fn of(server: &'a TestServer) -> Self {
        let township = server.township().await;
        let village = township.village("东河村").await;
        let (resident, _) = township.resident(village).await;
        let office = township.staff(Role::TownshipOffice).await;
        let leader = township.staff(Role::TownshipLeader).await;
        let (secretary, secretary_id) = township.staff_of(village.id, Role::VillageSecretary).await;
        Self { township, village, resident, office, leader, secretary, secretary_id }
    }

    /// Filed by the resident; returns its path.
    pub async fn filed(&self) -> String {
        let body = json!({"body": "村口的路灯坏了三个月，晚上看不见路。", "category": "electricity"});
        path(&self.resident.post("/api/complaints", body).await)
    }

    pub async fn dispatched(&self) -> String {
        let path = self.filed().await;
        self.classify(&path).await.ok();
        self.dispatch(&path).await.ok();
        path
    }

    pub async fn working(&self) -> String {
        let path = self.dispatched().await;
        self.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
        path
    }

    pub async fn answered(&self) -> String {
        let path = self.working().await;
        self.answer(&path).await.ok();
        path
    }

    pub async fn classify(&self, path: &str) -> Answer {
        let body = json!({"kind": "grievance", "category": "electricity"});
        self.office.post(&format!("{path}/classification"), body).await
    }

    pub async fn dispatch(&self, path: &str) -> Answer {
        self.office.post(&format!("{path}/dispatch"), json!({"unit_id": self.village.id})).await
    }

    pub async fn answer(&self, path: &str) -> Answer {
        let body = json!({"opinion": "supported", "facts": "三盏路灯已换新。", "basis": "村务公开办法"});
        self.secretary.post(&format!("{path}/answer"), body).await
    }

    pub async fn call_back(&self, path: &str, result: &str) -> Answer {
        let body = json!({"result": result, "notes": "电话回访，对方说还有一盏不亮。"});
        self.office.post(&format!("{path}/call-backs"), body).await
    }

    pub async fn rate(&self, path: &str, level: &str) -> Answer {
        self.resident.post(&format!("{path}/ratings"), json!({"level": level})).await
    }

    pub async fn close(&self, path: &str) -> Answer {
        self.office.post(&format!("{path}/closure"), json!({})).await
    }

    pub async fn view(&self, path: &str) -> Value {
        self.office.get(path).await.ok()
    }
}

pub fn path(filed: &Answer) -> String {
    format!("/api/complaints/{}", filed.ok()["id"].as_str().unwrap())
}
