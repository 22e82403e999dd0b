/** What stands on the screen for the identifiers of the API. */

export const complaintStates: Record<string, string> = {
  registered: '已登记',
  classified: '已分类',
  dispatched: '已交办',
  working: '办理中',
  answered: '已答复，请评价',
  rated: '已评价',
  reopened: '不满意，重办中',
  parked: '挂账',
  parked_unsatisfied: '群众未满意，挂账',
  closed: '已办结',
  merged: '已合并',
  not_accepted: '不予受理',
  withdrawn: '已撤回',
}

export const categories: Record<string, string> = {
  road: '道路',
  water: '饮水',
  electricity: '用电照明',
  housing: '住房',
  environment: '环境卫生',
  benefits: '补贴救助',
  village_affairs: '村务财务',
  service: '办事服务',
  land: '土地',
  other: '其他',
}

export const kinds: Record<string, string> = {
  suggestion: '建议意见',
  grievance: '申诉求决',
  fast_service: '限时快办',
}

export const levels: [string, string][] = [
  ['very_satisfied', '非常满意'],
  ['satisfied', '满意'],
  ['basically_satisfied', '基本满意'],
  ['dissatisfied', '不满意'],
  ['very_dissatisfied', '非常不满意'],
]

export const levelLabel = (level: string): string => levels.find(([key]) => key === level)?.[1] ?? level

export const rectificationStates: Record<string, string> = {
  not_started: '未启动',
  in_progress: '整改中',
  reported_done: '待评价',
  evaluating: '群众评价中',
  evaluated: '群众已评价',
  returned: '退回整改',
  closed: '已销号',
}

export const deadlineKinds: Record<string, string> = {
  acceptance: '受理',
  answer: '答复',
  bad_rating: '差评重办',
  parking_review: '挂账复核',
  rectify: '整改完成',
  duty: '履职',
}

export const entryKinds: Record<string, string> = {
  registered: '登记',
  classified: '分类',
  dispatched: '交办',
  instruction: '交办要求',
  accepted: '受理',
  returned: '退回',
  answered: '答复',
  reopened: '重办',
  called_back: '回访',
  closed: '办结',
  merged: '并入',
  joined: '合并',
  parked: '挂账',
  resumed: '恢复',
  extended: '延期',
  extension_requested: '申请延期',
  extension_refused: '延期未批',
  extension_decided: '延期',
  not_accepted: '不予受理',
  withdrawn: '撤回',
  created: '立项',
  committed: '公开承诺',
  progress: '进展',
  reported_done: '报告完成',
  evaluation_opened: '开始评价',
  verdict: '群众评价',
  township_evaluation: '乡镇考评',
  relapse: '回头看',
}

export const rosterGroups: Record<string, string> = {
  resident: '村民',
  party_member: '党员',
  representative: '村民代表',
  deputy: '人大代表',
}

export const messageRecipients: [string, string][] = [
  ['group', '发到群里的'],
  ['staff', '发给干部的'],
  ['resident', '发给村民的'],
]

export const templateStates: Record<string, string> = {
  proposed: '等确认',
  released: '正在用',
  rejected: '没有同意',
  replaced: '已换掉',
}
