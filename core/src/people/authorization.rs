//! Who may do what, decided in one place.
//!
//! [`may`] answers for one thing; [`reach`] gives the same answer as bounds for a query. Both read the table in
//! [`super::permissions`]. Recusal (回避) comes before every permission: who is concerned, or has declared an interest, neither sees
//! nor touches the thing (信访工作条例 art. 28; plan rule 1.8).

use super::{
    Actor, Role, Staff,
    permissions::{READERS, ResidentRule, Scope, rule},
};
use crate::{
    ids::{ComplaintId, CountyId, OrganizationId, ResidentId, StaffId},
    refusal::Refusal,
};

/// Everything that can be asked for. A new endpoint needs its action here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Action {
    // complaints 群众诉求
    SubmitComplaint,
    RegisterComplaintOnBehalf,
    ViewComplaint,
    ClassifyComplaint,
    DispatchComplaint,
    /// Take it on, refuse to take it, return it, answer it: the unit that handles it.
    HandleComplaint,
    /// Give it to another unit, join units, rule on a return.
    TransferComplaint,
    MergeComplaints,
    ParkComplaint,
    ApproveParking,
    /// Follow-up calls after a bad rating or silence; never by who handled it.
    CallBackReporter,
    CloseComplaint,
    RateComplaint,
    WithdrawComplaint,
    SupplementComplaint,
    // deadlines
    RequestExtension,
    DecideExtension,
    // problems and rectification 问题、整改
    RecordProblem,
    ViewProblem,
    CreateRectification,
    ViewRectification,
    /// Plan measures, commit in public, report progress, ask for close-out.
    WorkOnRectification,
    SuperviseRectification,
    RecordVillageSelfEvaluation,
    RecordTownshipEvaluation,
    OpenResidentsEvaluation,
    EvaluateRectification,
    CloseOutRectification,
    // campaigns and duties
    ViewCampaign,
    LoadCampaign,
    CompleteDuty,
    // surveys
    ManageSurvey,
    AnswerSurvey,
    // results of anonymous surveys
    /// Of satisfaction surveys and statutory reviews: public.
    ViewPublicResults,
    /// Of organizational evaluations: the committee and its supervisors, as soon as they are counted.
    ViewOrganizationalResults,
    /// Let those who were evaluated see their own result.
    ReleaseResults,
    /// One's own result, or one's unit's, once released. The subject names whose it is as handler or lead unit.
    ViewOwnResult,
    // anonymous surveys 背靠背测评
    /// Plan, prepare, open, cancel; the register and the slips.
    ManageSealedSurvey,
    /// How far it is, and how many have a credential.
    ViewSealedSurvey,
    /// The rows behind a published result.
    ViewSealedBundle,
    AnswerSealedSurvey,
    // sealed reports 检举控告
    /// Say that reports to an office are sealed to this key too. The subject's lead unit is the office.
    PublishReportKey,
    /// Also that there is one. The subject's lead unit is the office that it was sealed to.
    ViewSealedReport,
    /// Decide whether it is the office's, and answer.
    AnswerSealedReport,
    // files
    UploadFile,
    // messages
    ViewMessages,
    ResendMessage,
    ForwardPost,
    /// Let a post go into a group that somebody else wrote.
    ReviewPost,
    /// Take a post back, and correct what is in a group already.
    RetractPost,
    /// The words of messages: the usual ones, and the township's own.
    ViewMessageTemplates,
    ProposeMessageTemplate,
    /// Let words be used that somebody else proposed.
    ReleaseMessageTemplate,
    ManageGroups,
    /// What keeps messages from leaving and is for whoever runs the platform to mend.
    ViewAlarms,
    /// Let a template be used again, try an event again that was given up.
    SettleAlarm,
    // people
    /// Let a chat with one of our accounts be one's own.
    LinkAccount,
    /// Want messages, or none.
    ChooseMessages,
    ViewStaff,
    /// Say that somebody is away and who stands in.
    RecordAbsence,
    ManagePeople,
    ManageRoster,
    ManageSystem,
    // public
    ViewBoard,
    ViewDesk,
    /// Somebody said of an item that it is not his.
    DecideObjection,
    ViewAudit,
}

/// What the decision needs to know of the thing asked about. Fields that do not apply stay empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    pub county: Option<CountyId>,
    pub township: Option<OrganizationId>,
    pub village: Option<OrganizationId>,
    pub lead_unit: Option<OrganizationId>,
    pub joint_units: Vec<OrganizationId>,
    /// The member of staff who works on it.
    pub handler: Option<StaffId>,
    /// The complaint itself, for holders of its receipt.
    pub complaint: Option<ComplaintId>,
    /// Who brought it up.
    pub reporters: Vec<ResidentId>,
    /// Residents whom it affects and who therefore judge it.
    pub affected: Vec<ResidentId>,
    /// Units and persons whom it is about: they are kept out.
    pub concerns_organizations: Vec<OrganizationId>,
    pub concerns_staff: Vec<StaffId>,
}

/// Whether this actor may do this to this subject.
///
/// # Errors
/// `not_found` for a thing that the actor may not even know of, `forbidden` otherwise.
pub fn may(actor: &Actor, action: Action, subject: &Subject) -> Result<(), Refusal> {
    let rule = rule(action);
    if let (Some(own), Some(its)) = (actor.county(), subject.county)
        && own != its
    {
        return Err(Refusal::not_found());
    }
    let granted = match actor {
        Actor::System { .. } => true,
        Actor::Visitor => rule.visitor,
        Actor::Receipt { complaint, .. } => rule.receipt && (rule.visitor || subject.complaint == Some(*complaint)),
        Actor::Resident(resident) => match rule.resident {
            ResidentRule::Never => false,
            ResidentRule::Anyone => true,
            ResidentRule::Reporter => subject.reporters.contains(&resident.id),
            ResidentRule::Affected => subject.affected.contains(&resident.id),
            ResidentRule::Villager => subject.village == Some(resident.village),
        },
        Actor::Staff(staff) => {
            if is_recused(staff, subject) {
                return Err(Refusal::not_found());
            }
            rule.staff.iter().any(|(role, scope)| covers(staff, *role, *scope, subject))
        }
    };
    if granted {
        return Ok(());
    }
    let secret = matches!(action, Action::ViewComplaint | Action::ViewSealedReport | Action::AnswerSealedReport);
    let visible = !secret && may_know_of(actor, subject);
    Err(if visible { Refusal::forbidden() } else { Refusal::not_found() })
}

/// Whether the person is concerned by the thing, or works in a unit that is, or has declared an interest.
#[must_use]
pub fn is_recused(staff: &Staff, subject: &Subject) -> bool {
    let concerned_person = |id: &StaffId| *id == staff.id || staff.recused_from_staff.contains(id);
    let concerned_unit = |id: &OrganizationId| {
        staff.recused_from_organizations.contains(id) || staff.posts.iter().any(|post| post.organization == *id)
    };
    subject.concerns_staff.iter().any(concerned_person) || subject.concerns_organizations.iter().any(concerned_unit)
}

fn covers(staff: &Staff, role: Role, scope: Scope, subject: &Subject) -> bool {
    staff.posts.iter().filter(|post| post.role == role).any(|post| match scope {
        Scope::ByName => subject.handler == Some(staff.id),
        Scope::County => true,
        // A thing without a township (a county's own) belongs to no township's office.
        Scope::Township => match subject.township {
            Some(township) => post.township == Some(township),
            None => *subject == Subject { county: subject.county, ..Subject::default() },
        },
        Scope::OwnUnit => {
            subject.handler == Some(staff.id)
                || subject
                    .lead_unit
                    .map_or(subject.village == Some(post.organization), |unit| unit == post.organization)
                || subject.joint_units.contains(&post.organization)
                || *subject == Subject { county: subject.county, ..Subject::default() }
        }
    })
}

/// Whether a refusal may admit that the thing exists.
fn may_know_of(actor: &Actor, subject: &Subject) -> bool {
    match actor {
        Actor::Visitor | Actor::System { .. } => true,
        Actor::Receipt { complaint, .. } => subject.complaint.is_none_or(|id| id == *complaint),
        Actor::Resident(resident) => {
            subject.reporters.contains(&resident.id)
                || subject.affected.contains(&resident.id)
                || (subject.reporters.is_empty() && subject.affected.is_empty() && subject.complaint.is_none())
        }
        Actor::Staff(staff) if subject.handler == Some(staff.id) => true,
        Actor::Staff(staff) => READERS.iter().any(|(role, scope)| covers(staff, *role, *scope, subject)),
    }
}

/// The bounds of a list: what a query has to filter by so that it shows exactly what [`may`] would allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    /// Things this resident brought up (or is affected by, as the action says).
    Resident(ResidentId),
    Staff(StaffReach),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffReach {
    pub county: Option<CountyId>,
    /// Everything in the county.
    pub whole_county: bool,
    /// Everything in these townships.
    pub townships: Vec<OrganizationId>,
    /// Things led by or joined by these units, or lying in these villages while no unit leads.
    pub units: Vec<OrganizationId>,
    /// Things given to this person by name.
    pub handler: Option<StaffId>,
    /// To be left out: things that concern these persons or units.
    pub not_concerning_staff: Vec<StaffId>,
    pub not_concerning_organizations: Vec<OrganizationId>,
}

/// The bounds within which this actor may do this.
#[must_use]
pub fn reach(actor: &Actor, action: Action) -> Reach {
    let rule = rule(action);
    match actor {
        Actor::Resident(resident) if rule.resident != ResidentRule::Never => Reach::Resident(resident.id),
        Actor::Staff(staff) => {
            let mut reach = StaffReach {
                county: Some(staff.county),
                not_concerning_staff: std::iter::once(staff.id)
                    .chain(staff.recused_from_staff.iter().copied())
                    .collect(),
                not_concerning_organizations: staff
                    .posts
                    .iter()
                    .map(|post| post.organization)
                    .chain(staff.recused_from_organizations.iter().copied())
                    .collect(),
                ..StaffReach::default()
            };
            for (role, scope) in rule.staff {
                for post in staff.posts.iter().filter(|post| post.role == *role) {
                    match scope {
                        Scope::County => reach.whole_county = true,
                        Scope::ByName => reach.handler = Some(staff.id),
                        Scope::Township => reach.townships.extend(post.township),
                        Scope::OwnUnit => {
                            reach.units.push(post.organization);
                            reach.handler = Some(staff.id);
                        }
                    }
                }
            }
            if reach.whole_county || !reach.townships.is_empty() || !reach.units.is_empty() || reach.handler.is_some() {
                Reach::Staff(reach)
            } else {
                Reach::Nothing
            }
        }
        _ => Reach::Nothing,
    }
}
