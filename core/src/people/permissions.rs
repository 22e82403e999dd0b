//! The table of permissions: which role may do what, and how far.

use super::{Role, authorization::Action};

/// How far a role's permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Things given to the actor by name.
    ByName,
    /// Things of the actor's own village or unit, or given to the actor by name.
    OwnUnit,
    /// Everything in the actor's township.
    Township,
    /// Everything in the county.
    County,
}

/// What a resident must be to the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResidentRule {
    Never,
    /// Any resident on a roster.
    Anyone,
    /// Who brought it up.
    Reporter,
    /// Whom it affects.
    Affected,
    /// A resident of the village.
    Villager,
}

/// Who may do one thing.
pub(super) struct Rule {
    pub(super) staff: &'static [(Role, Scope)],
    pub(super) resident: ResidentRule,
    pub(super) receipt: bool,
    pub(super) visitor: bool,
}

const UNIT: [(Role, Scope); 3] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::DepartmentHandler, Scope::OwnUnit),
];
const OFFICE: [(Role, Scope); 1] = [(Role::TownshipOffice, Scope::Township)];
const OFFICE_AND_LEADER: [(Role, Scope); 2] =
    [(Role::TownshipOffice, Scope::Township), (Role::TownshipLeader, Scope::Township)];
/// The office, and those above it for the case that it has nobody else.
const OBJECTION_DECIDERS: [(Role, Scope); 3] = [
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipLeader, Scope::Township),
    (Role::CountyInspector, Scope::County),
];
const LEADER: [(Role, Scope); 1] = [(Role::TownshipLeader, Scope::Township)];
pub(super) const READERS: [(Role, Scope); 7] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::DepartmentHandler, Scope::OwnUnit),
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipLeader, Scope::Township),
    (Role::CountyInspector, Scope::County),
    (Role::CityInspector, Scope::County),
];
/// Whoever can be given a duty: who has no unit's work to see has his own.
const DUTY_BEARERS: [(Role, Scope); 9] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::DepartmentHandler, Scope::OwnUnit),
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipLeader, Scope::Township),
    (Role::DisciplinaryOfficer, Scope::ByName),
    (Role::GroupAdministrator, Scope::ByName),
    (Role::CountyInspector, Scope::County),
    (Role::CityInspector, Scope::County),
];
/// Whom the result of an organizational evaluation is for.
const COMMITTEE: [(Role, Scope); 4] = [
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipLeader, Scope::Township),
    (Role::DisciplinaryOfficer, Scope::Township),
    (Role::CountyInspector, Scope::County),
];
/// Whoever can be evaluated: by name, or as a unit.
const EVALUATED: [(Role, Scope); 8] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::DepartmentHandler, Scope::OwnUnit),
    (Role::TownshipOffice, Scope::ByName),
    (Role::TownshipLeader, Scope::ByName),
    (Role::DisciplinaryOfficer, Scope::ByName),
    (Role::GroupAdministrator, Scope::ByName),
    (Role::CountyInspector, Scope::ByName),
];
/// Of the very office, and nobody else: neither the office above, nor who else works in the same house.
const DISCIPLINE: [(Role, Scope); 1] = [(Role::DisciplinaryOfficer, Scope::OwnUnit)];
/// Who may put prepared posts into chat groups.
const FORWARDERS: [(Role, Scope); 4] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::TownshipOffice, Scope::Township),
    (Role::GroupAdministrator, Scope::Township),
];
/// Who reads a post before it goes into a group.
const REVIEWERS: [(Role, Scope); 4] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipLeader, Scope::Township),
    (Role::GroupAdministrator, Scope::Township),
];
/// Everybody for himself, and the office for its township.
const ABSENCES: [(Role, Scope); 9] = [
    (Role::TownshipOffice, Scope::Township),
    (Role::TownshipOffice, Scope::ByName),
    (Role::VillageSecretary, Scope::ByName),
    (Role::VillageStaff, Scope::ByName),
    (Role::DepartmentHandler, Scope::ByName),
    (Role::TownshipLeader, Scope::ByName),
    (Role::DisciplinaryOfficer, Scope::ByName),
    (Role::GroupAdministrator, Scope::ByName),
    (Role::CountyInspector, Scope::ByName),
];
const REGISTRARS: [(Role, Scope); 4] = [
    (Role::VillageSecretary, Scope::OwnUnit),
    (Role::VillageStaff, Scope::OwnUnit),
    (Role::DepartmentHandler, Scope::Township),
    (Role::TownshipOffice, Scope::Township),
];
const EVERY_STAFF: [(Role, Scope); 10] = [
    (Role::VillageSecretary, Scope::County),
    (Role::VillageStaff, Scope::County),
    (Role::TownshipOffice, Scope::County),
    (Role::TownshipLeader, Scope::County),
    (Role::DepartmentHandler, Scope::County),
    (Role::DisciplinaryOfficer, Scope::County),
    (Role::CountyInspector, Scope::County),
    (Role::CityInspector, Scope::County),
    (Role::GroupAdministrator, Scope::County),
    (Role::SystemAdministrator, Scope::County),
];
/// Who looks after the platform, and after the messages that it does not take.
const WATCHERS: [(Role, Scope); 3] = [
    (Role::SystemAdministrator, Scope::County),
    (Role::TownshipOffice, Scope::Township),
    (Role::GroupAdministrator, Scope::Township),
];
const SYSTEM: [(Role, Scope); 1] = [(Role::SystemAdministrator, Scope::County)];

/// The table of permissions.
pub(super) fn rule(action: Action) -> Rule {
    use Action as A;
    let by_staff =
        |staff: &'static [(Role, Scope)]| Rule { staff, resident: ResidentRule::Never, receipt: false, visitor: false };
    match action {
        A::SubmitComplaint => Rule { resident: ResidentRule::Anyone, ..by_staff(&[]) },
        A::RegisterComplaintOnBehalf => by_staff(&REGISTRARS),
        A::ViewComplaint => Rule { resident: ResidentRule::Reporter, receipt: true, ..by_staff(&READERS) },
        A::SupplementComplaint => Rule { resident: ResidentRule::Reporter, ..by_staff(&[]) },
        A::RateComplaint | A::WithdrawComplaint => {
            Rule { resident: ResidentRule::Reporter, receipt: true, ..by_staff(&[]) }
        }
        A::HandleComplaint | A::RequestExtension => by_staff(&UNIT),
        A::ClassifyComplaint
        | A::DispatchComplaint
        | A::TransferComplaint
        | A::MergeComplaints
        | A::ParkComplaint
        | A::CallBackReporter
        | A::CloseComplaint => by_staff(&OFFICE),
        A::ApproveParking => by_staff(&LEADER),
        A::DecideExtension => by_staff(&OFFICE_AND_LEADER),
        A::RecordProblem => by_staff(&REGISTRARS),
        A::ViewProblem => by_staff(&READERS),
        A::ViewCampaign | A::ViewDesk => by_staff(&DUTY_BEARERS),
        A::ViewRectification => Rule { resident: ResidentRule::Affected, ..by_staff(&READERS) },
        A::CreateRectification
        | A::SuperviseRectification
        | A::RecordTownshipEvaluation
        | A::OpenResidentsEvaluation
        | A::CloseOutRectification => by_staff(&OFFICE),
        A::WorkOnRectification | A::RecordVillageSelfEvaluation => by_staff(&UNIT),
        A::EvaluateRectification => Rule { resident: ResidentRule::Affected, ..by_staff(&[]) },
        A::LoadCampaign => by_staff(&OFFICE),
        // Whose turn it is of these, `objections` says.
        A::DecideObjection => by_staff(&OBJECTION_DECIDERS),
        A::CompleteDuty => by_staff(&[
            (Role::VillageSecretary, Scope::OwnUnit),
            (Role::VillageStaff, Scope::OwnUnit),
            (Role::DepartmentHandler, Scope::OwnUnit),
            (Role::TownshipOffice, Scope::Township),
            (Role::TownshipLeader, Scope::Township),
            (Role::DisciplinaryOfficer, Scope::ByName),
            (Role::GroupAdministrator, Scope::ByName),
        ]),
        A::ManageSurvey => by_staff(&OFFICE),
        A::AnswerSurvey => Rule { resident: ResidentRule::Villager, ..by_staff(&[]) },
        A::ViewPublicResults => {
            Rule { resident: ResidentRule::Anyone, receipt: true, visitor: true, ..by_staff(&EVERY_STAFF) }
        }
        A::ViewOrganizationalResults => by_staff(&COMMITTEE),
        A::ReleaseResults => by_staff(&OFFICE),
        A::ViewOwnResult => by_staff(&EVALUATED),
        A::ManageSealedSurvey => by_staff(&OFFICE),
        A::ViewSealedSurvey => by_staff(&[
            (Role::TownshipOffice, Scope::Township),
            (Role::TownshipLeader, Scope::Township),
            (Role::DisciplinaryOfficer, Scope::Township),
            (Role::CountyInspector, Scope::County),
            (Role::CityInspector, Scope::County),
        ]),
        A::ViewSealedBundle => by_staff(&[
            (Role::TownshipOffice, Scope::Township),
            (Role::DisciplinaryOfficer, Scope::Township),
            (Role::CountyInspector, Scope::County),
            (Role::CityInspector, Scope::County),
        ]),
        // Who may answer stands on the roll of the box.
        A::AnswerSealedSurvey => Rule { resident: ResidentRule::Anyone, ..by_staff(&[]) },
        A::PublishReportKey | A::ViewSealedReport | A::AnswerSealedReport => by_staff(&DISCIPLINE),
        A::UploadFile | A::LinkAccount => Rule { resident: ResidentRule::Anyone, ..by_staff(&EVERY_STAFF) },
        // Staff cannot do without: they are told what they have to do.
        A::ChooseMessages => Rule { resident: ResidentRule::Anyone, ..by_staff(&[]) },
        A::ViewMessages | A::ResendMessage => {
            by_staff(&[(Role::TownshipOffice, Scope::Township), (Role::GroupAdministrator, Scope::Township)])
        }
        A::ForwardPost | A::RetractPost => by_staff(&FORWARDERS),
        A::ReviewPost => by_staff(&REVIEWERS),
        A::ViewMessageTemplates | A::ReleaseMessageTemplate => by_staff(&OFFICE_AND_LEADER),
        A::ProposeMessageTemplate => by_staff(&OFFICE),
        A::ManageGroups => by_staff(&[(Role::GroupAdministrator, Scope::Township)]),
        A::RecordAbsence => by_staff(&ABSENCES),
        A::ViewStaff => by_staff(&OFFICE_AND_LEADER),
        A::ViewAlarms => by_staff(&WATCHERS),
        A::ManagePeople | A::ManageSystem | A::SettleAlarm => by_staff(&SYSTEM),
        A::ManageRoster => by_staff(&OFFICE),
        A::ViewBoard => Rule { resident: ResidentRule::Anyone, receipt: true, visitor: true, ..by_staff(&EVERY_STAFF) },
        A::ViewAudit => by_staff(&SYSTEM),
    }
}
