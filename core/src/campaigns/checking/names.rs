//! Keys are unique, and what is referred to exists.

use std::collections::BTreeSet;

use super::{Mistakes, Path};
use crate::{
    campaigns::{
        plan::{Place, Plan},
        reading::nearest,
    },
    people::Role,
};

pub(super) fn check(plan: &Plan, mistakes: &mut Mistakes) {
    unique_keys(plan, mistakes);
    offices_exist(plan, mistakes);
    documents_exist(plan, mistakes);
    roles_fit_places(plan, mistakes);
}

fn unique_keys(plan: &Plan, mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for (index, taxonomy) in plan.taxonomies.iter().enumerate() {
        // Across all axes: a problem names its categories by key alone.
        let categories = Path::of("taxonomies").index(index).field("categories");
        unique(&mut seen, &categories, taxonomy.categories.iter().map(|category| category.key.as_str()), mistakes);
    }
    let mut seen = BTreeSet::new();
    for (index, project) in plan.projects.iter().enumerate() {
        let measures = Path::of("projects").index(index).field("measures");
        unique(&mut seen, &measures, project.measures.iter().map(|measure| measure.key.as_str()), mistakes);
    }
    for (index, evaluation) in plan.evaluations.iter().enumerate() {
        let dimensions = Path::of("evaluations").index(index).field("dimensions");
        let keys = evaluation.dimensions.iter().map(|dimension| dimension.key.as_str());
        unique(&mut BTreeSet::new(), &dimensions, keys, mistakes);
    }
    macro_rules! unique_in {
        ($($list:ident),+) => {$(
            let keys = plan.$list.iter().map(|item| item.key.as_str());
            unique(&mut BTreeSet::new(), &Path::of(stringify!($list)), keys, mistakes);
        )+};
    }
    unique_in!(
        offices,
        phases,
        taxonomies,
        ways_of_finding,
        dispositions,
        projects,
        duties,
        lists,
        evaluations,
        targets,
        documents,
        mechanisms,
        schedule
    );
}

fn unique<'p>(seen: &mut BTreeSet<&'p str>, list: &Path, keys: impl Iterator<Item = &'p str>, mistakes: &mut Mistakes) {
    for (index, key) in keys.enumerate() {
        if !seen.insert(key) {
            mistakes.add(list.index(index).field("key"), format!("标识 {key} 重复"));
        }
    }
}

fn offices_exist(plan: &Plan, mistakes: &mut Mistakes) {
    let group = Path::of("leading_group");
    let mut references: Vec<(Path, &str)> = vec![(group.field("run_by"), &plan.leading_group.run_by)];
    references.extend(several(&group.field("heads"), &plan.leading_group.heads));
    references.extend(several(&group.field("deputies"), &plan.leading_group.deputies));
    references.extend(several(&group.field("members"), &plan.leading_group.members));
    for (index, project) in plan.projects.iter().enumerate() {
        let path = Path::of("projects").index(index);
        references.extend(project.head.iter().map(|key| (path.field("head"), key.as_str())));
        references.extend(project.lead.iter().map(|key| (path.field("lead"), key.as_str())));
        references.extend(several(&path.field("deputies"), &project.deputies));
        references.extend(several(&path.field("joint"), &project.joint));
        for (index, measure) in project.measures.iter().enumerate() {
            let path = path.field("measures").index(index);
            references.push((path.field("lead"), &measure.lead));
            references.extend(several(&path.field("joint"), &measure.joint));
        }
    }
    for (index, duty) in plan.duties.iter().enumerate() {
        let path = Path::of("duties").index(index);
        references.push((path.field("owner"), &duty.owner));
        references.extend(several(&path.field("with"), &duty.with));
    }
    for (index, step) in plan.escalation.iter().enumerate() {
        references.extend(several(&Path::of("escalation").index(index).field("tells"), &step.tells));
    }
    let at = |list: &str, index, field: &str| Path::of(list).index(index).field(field);
    references.extend(plan.lists.iter().enumerate().map(|(i, list)| (at("lists", i, "owner"), list.owner.as_str())));
    references
        .extend(plan.acceptance.iter().enumerate().map(|(i, step)| (at("acceptance", i, "by"), step.by.as_str())));
    let issuers = plan.documents.iter().enumerate();
    references.extend(issuers.map(|(i, document)| (at("documents", i, "issued_by"), document.issued_by.as_str())));
    let deciders = plan.consequences.iter().enumerate();
    references.extend(deciders.map(|(i, case)| (at("consequences", i, "decided_by"), case.decided_by.as_str())));

    for (path, key) in references {
        if plan.office(key).is_none() {
            let known = plan.offices.iter().map(|office| office.key.as_str());
            mistakes.add(path, unknown("offices 里没有", key, known));
        }
    }
}

fn several<'p>(list: &Path, keys: &'p [String]) -> Vec<(Path, &'p str)> {
    keys.iter().enumerate().map(|(index, key)| (list.index(index), key.as_str())).collect()
}

fn unknown<'k>(problem: &str, key: &str, known: impl Iterator<Item = &'k str>) -> String {
    match nearest(key, known) {
        Some(meant) => format!("{problem} {key}，是不是 {meant}？"),
        None => format!("{problem} {key}"),
    }
}

fn documents_exist(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, step) in plan.escalation.iter().enumerate() {
        let Some(key) = &step.document else { continue };
        if !plan.documents.iter().any(|document| document.key == *key) {
            let known = plan.documents.iter().map(|document| document.key.as_str());
            let path = Path::of("escalation").index(index).field("document");
            mistakes.add(path, unknown("documents 里没有", key, known));
        }
    }
}

fn roles_fit_places(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, office) in plan.offices.iter().enumerate() {
        let Some(role) = office.role else { continue };
        let fits = match role {
            Role::VillageSecretary | Role::VillageStaff => office.place == Place::Village,
            Role::DepartmentHandler => {
                matches!(office.place, Place::Department | Place::EachDepartment | Place::Township)
            }
            Role::TownshipOffice | Role::TownshipLeader | Role::DisciplinaryOfficer | Role::GroupAdministrator => {
                matches!(office.place, Place::Township | Place::Department | Place::EachDepartment)
            }
            Role::CountyInspector => office.place == Place::County,
            Role::CityInspector => office.place == Place::City,
            Role::SystemAdministrator => false,
        };
        if !fits {
            let path = Path::of("offices").index(index).field("role");
            mistakes.add(path, format!("“{}”这个角色不在所写的这一级任职", role.label()));
        }
    }
}
