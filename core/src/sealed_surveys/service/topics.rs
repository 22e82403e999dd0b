//! Who and what may be rated: somebody of this township, named so that everything about it can be kept from her; a thing, and
//! never a person under a thing's name.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{super::planning::Topic, electors::held_today};
use crate::{
    campaigns::plan::About,
    ids::{OrganizationId, StaffId},
    people::{
        OrganizationKind,
        entity::{organizations, posts, staff},
    },
    refusal::Fault,
    storage::UnitOfWork,
    surveys::names_an_office_holder,
};

const WHO: &str = "评人的测评要从名单里选出本镇的一名工作人员，测评才能对本人保密。";
const WHICH: &str = "评部门的测评要从名单里选出本镇的一个单位，测评才能对该单位保密。";
const TWICE: &str = "同一个对象写了两次，每人会被问两遍。";
const A_PERSON: &str = "这份问卷只能问事，不能问人。评议干部请用测评干部的问卷。";

/// The township with its units, and who works there.
pub(super) struct Places {
    pub villages: BTreeMap<OrganizationId, String>,
    /// Township, departments and villages.
    units: BTreeMap<OrganizationId, String>,
    staff: BTreeMap<StaffId, String>,
}

impl Places {
    pub(super) async fn of(unit: &UnitOfWork, township: &organizations::Model) -> Result<Self, Fault> {
        let within = organizations::Entity::find()
            .filter(organizations::Column::ParentId.eq(township.id))
            .order_by_asc(organizations::Column::Id)
            .all(unit.connection())
            .await?;
        let is_village = |place: &&organizations::Model| place.kind == OrganizationKind::Village;
        let villages = within.iter().filter(is_village).map(|place| (place.id, place.name.clone())).collect();
        let mut units: BTreeMap<_, _> = within.into_iter().map(|place| (place.id, place.name)).collect();
        units.insert(township.id, township.name.clone());
        let held = held_today(unit)
            .filter(posts::Column::OrganizationId.is_in(units.keys().copied()))
            .all(unit.connection())
            .await?;
        let holders: BTreeSet<_> = held.into_iter().map(|post| post.staff_id).collect();
        let staff = staff::Entity::find()
            .filter(staff::Column::Id.is_in(holders))
            .filter(staff::Column::CountyId.eq(township.county_id))
            .all(unit.connection())
            .await?;
        Ok(Self { villages, units, staff: staff.into_iter().map(|one| (one.id, one.name)).collect() })
    }

    /// Takes away what a form has said twice: 东河村东河村党支部书记.
    pub(super) fn tidy(&self, topics: &mut [Topic]) {
        for text in topics.iter_mut().filter_map(|topic| topic.evaluatee.as_mut()) {
            let doubled = self.units.values().find(|name| text.starts_with(&name.repeat(2)));
            if let Some(name) = doubled {
                text.drain(..name.len());
            }
        }
    }

    /// What is wrong with whom and what a survey is about: field and sentence.
    pub(super) fn wrong(&self, about: About, title: &str, topics: &[Topic]) -> Vec<(String, &'static str)> {
        let mut wrong = Vec::new();
        if about != About::Cadre && self.names_somebody(title) {
            wrong.push(("/title".to_owned(), A_PERSON));
        }
        for (place, topic) in topics.iter().enumerate() {
            let field = |name: &str| format!("/topics/{place}/{name}");
            if topic.village.is_some_and(|village| !self.villages.contains_key(&village)) {
                wrong.push((field("village_id"), "没有这个村。"));
            }
            let is_unknown = topic.staff.is_some_and(|staff| !self.staff.contains_key(&staff));
            if is_unknown || (about == About::Cadre && topic.staff.is_none()) {
                wrong.push((field("staff_id"), WHO));
            }
            let is_unknown = topic.organization.is_some_and(|unit| !self.units.contains_key(&unit));
            if is_unknown || (about == About::Department && topic.organization.is_none()) {
                wrong.push((field("organization_id"), WHICH));
            }
            let names_somebody = topic.evaluatee.as_deref().is_some_and(|text| self.names_somebody(text));
            if topic.staff.is_none() && names_somebody {
                wrong.push((field("evaluatee"), A_PERSON));
            }
            if topics[..place].iter().any(|other| is_the_same(other, topic)) {
                wrong.push((format!("/topics/{place}"), TWICE));
            }
        }
        wrong
    }

    fn names_somebody(&self, text: &str) -> bool {
        let is_named = |name: &String| name.chars().count() > 1 && text.contains(name.as_str());
        names_an_office_holder(text) || self.staff.values().any(is_named)
    }
}

/// Whether somebody would be asked the same twice.
fn is_the_same(one: &Topic, other: &Topic) -> bool {
    let subject = |topic: &Topic| {
        let text = topic.evaluatee.as_deref().map(str::trim).map(str::to_owned);
        (topic.staff, topic.organization, text.filter(|_| topic.staff.is_none() && topic.organization.is_none()))
    };
    let overlap = one.village.is_none() || other.village.is_none() || one.village == other.village;
    overlap && subject(one) == subject(other)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TOWNSHIP: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const VILLAGE: OrganizationId = OrganizationId(Uuid::from_u128(2));
    const OFFICE: OrganizationId = OrganizationId(Uuid::from_u128(3));
    const SOMEBODY: StaffId = StaffId(Uuid::from_u128(4));

    fn places() -> Places {
        let village = (VILLAGE, "东河村".to_owned());
        let units = [village.clone(), (TOWNSHIP, "云溪镇".into()), (OFFICE, "便民服务中心".into())];
        Places { villages: [village].into(), units: units.into(), staff: [(SOMEBODY, "周大川".into())].into() }
    }

    fn fields(about: About, title: &str, topics: &[Topic]) -> Vec<String> {
        places().wrong(about, title, topics).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_person_is_chosen_from_the_townships_staff() {
        let named = Topic { evaluatee: Some("书记 周大川".into()), ..Topic::default() };
        let stranger = Topic { staff: Some(StaffId(Uuid::from_u128(9))), ..Topic::default() };
        let chosen = Topic { staff: Some(SOMEBODY), ..named.clone() };
        assert_eq!(fields(About::Cadre, "民主测评", &[Topic::default()]), ["/topics/0/staff_id"]);
        assert_eq!(fields(About::Cadre, "民主测评", &[named]), ["/topics/0/staff_id", "/topics/0/evaluatee"]);
        assert_eq!(fields(About::Cadre, "民主测评", &[stranger]), ["/topics/0/staff_id"]);
        assert!(fields(About::Cadre, "村书记民主测评", &[chosen]).is_empty());
    }

    #[test]
    fn a_department_is_chosen_from_the_townships_units() {
        let typed = Topic { evaluatee: Some("便民服务中心".into()), ..Topic::default() };
        let stranger = Topic { organization: Some(OrganizationId(Uuid::from_u128(9))), ..typed.clone() };
        let chosen = Topic { organization: Some(OFFICE), ..typed.clone() };
        assert_eq!(fields(About::Department, "村评部门", &[typed]), ["/topics/0/organization_id"]);
        assert_eq!(fields(About::Department, "村评部门", &[stranger]), ["/topics/0/organization_id"]);
        assert!(fields(About::Department, "村评部门", &[chosen]).is_empty());
    }

    #[test]
    fn nobody_is_rated_under_the_name_of_a_thing() {
        let thing = |text: &str| Topic { evaluatee: Some(text.into()), ..Topic::default() };
        assert_eq!(fields(About::PublicService, "卫生室满意度", &[thing("周大川")]), ["/topics/0/evaluatee"]);
        assert_eq!(fields(About::Item, "张书记修的路", &[thing("村口的路")]), ["/title"]);
        assert!(fields(About::PublicService, "卫生室满意度", &[thing("东河村卫生室")]).is_empty());
    }

    #[test]
    fn nobody_is_asked_the_same_twice() {
        let of = |village: Option<OrganizationId>| Topic { staff: Some(SOMEBODY), village, ..Topic::default() };
        let renamed = Topic { evaluatee: Some("周大川同志".into()), ..of(None) };
        assert_eq!(fields(About::Cadre, "测评", &[of(None), renamed]), ["/topics/1"]);
        assert_eq!(fields(About::Cadre, "测评", &[of(Some(VILLAGE)), of(None)]), ["/topics/1"]);
        let thing = Topic { evaluatee: Some("路灯".into()), ..Topic::default() };
        assert_eq!(fields(About::Item, "测评", &[thing.clone(), thing]), ["/topics/1"]);
    }

    #[test]
    fn a_place_is_not_named_twice_in_a_row() {
        let mut topics =
            [Topic { evaluatee: Some("东河村东河村党支部书记 周大川".into()), ..Topic::default() }];
        places().tidy(&mut topics);
        assert_eq!(topics[0].evaluatee.as_deref(), Some("东河村党支部书记 周大川"));
    }
}
