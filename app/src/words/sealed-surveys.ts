/** What the screens of the anonymous surveys say. */
import type { Progress } from '../ballots/progress'

interface Protected {
  is: string
  isNot: string
}

/** What an answer is protected from, in two sentences: what is, and what is not (survey protocol §2.5). */
export const protections: Record<number, Protected> = {
  3: {
    is: '保护得住：镇里知道您来领过票，看不到您怎么答；县里能拆信封，不知道是谁的。要对上号，得镇里和县里串通。',
    isNot: '保护不住：有人在旁边看着您答；全村都答得一样；谁参加了，镇里和县里看得到。',
  },
  2: {
    is: '保护得住：镇里知道您来领过票，看不到您怎么答；县里能拆信封，不知道是谁的。要对上号，得镇里和县里串通。',
    isNot: '保护不住：这个网页每次打开都要重新下载，不如小程序稳妥；有人在旁边看着您答；谁参加了，镇里和县里看得到。',
  },
  1: {
    is: '保护得住：别的村民和干部看不到您怎么答，公布的只有合计。',
    isNot: '保护不住：这里只有一家在管，它答应不看，但技术上它想看是看得到的。',
  },
}

/** The same for a paper slip: nobody knows who holds it, and yet the page on which it is answered protects no better than it does. */
export const slipProtections: Record<number, Protected> = {
  3: {
    is: '保护得住：纸票是您自己从袋子里抽的，哪张票在谁手里没有人记；拆信封的是县里，不知道是谁的票。',
    isNot: '保护不住：有人在旁边看着您答，或者看见过您票上的码；谁登记用纸票，镇里和县里看得到。',
  },
  2: {
    is: '保护得住：纸票是您自己从袋子里抽的，哪张票在谁手里没有人记；拆信封的是县里，不知道是谁的票。',
    isNot:
      '保护不住：这个网页每次打开都要重新下载，不如小程序稳妥；有人在旁边看着您答，或者看见过您票上的码；谁登记用纸票，镇里和县里看得到。',
  },
  1: {
    is: '保护得住：纸票是您自己从袋子里抽的，哪张票在谁手里没有人记；公布的只有合计。',
    isNot: '保护不住：这里只有一家在管，它答应不看，但是您用这部手机答，技术上它有办法看到；别人也可能看见过您票上的码。',
  },
}

/** Who can see what once an answer is in the box, for the head of the list and before the last tap: never more than is kept. */
export const whoSees: Record<number, string> = {
  3: '镇里知道您来领过票，看不到您怎么答；县里拆信封，看得到怎么答，不知道是谁的。',
  2: '镇里知道您来领过票，看不到您怎么答；县里拆信封，看得到怎么答，不知道是谁的。',
  1: '票箱只有一家在管：它答应不看谁怎么答，但技术上看得到。',
}

/** How much of a box that was counted everybody can check for himself. */
export const checkable: Record<string, string> = {
  rows: '每张票都公开（没有名字），谁都可以把文件下载下来自己核对全部计票：',
  totals: '这个票箱只公开合计，不公开每一张票，免得认出人来；信封、领票和合计的记录可以下载核对：',
  count: '这个票箱只公开有几张票，免得认出人来；信封和领票的记录可以下载核对：',
  organizational: '这次测评的票和结果都不公开；信封和领票的记录可以下载核对：',
}

export const levelNames: Record<number, string> = {
  1: '一家运营方也可以',
  2: '县里的网页、小程序或纸票',
  3: '正式小程序或纸票',
  4: '只用纸票',
}

/** Whether the level suffices, and what to do if not. */
export const levelNeeded = (needed: number): string =>
  needed >= 4
    ? '这次测评只收纸票：请到村里抽一张纸票。'
    : needed === 3
      ? '这次测评要求更高的保护：请从正式发布的小程序作答，或者用纸票。'
      : '这次测评要到县里的网页去答：镇里的网页保护不够。'

/** A sentence for each refusal of this phone's own; the servers bring theirs. */
export const refusals: Record<string, string> = {
  no_network: '网络不通。进行到哪一步已经记在手机里，稍后再打开就接着办。',
  no_randomness: '这部手机拿不到安全的随机数，不能保护您的答案，请换一部手机或者用纸票。',
  invalid_signature: '回来的签名不对：可能有人换了钥匙。请不要在这里答，把这件事告诉村务监督委员会。',
  no_quorum: '票箱还没有镇里、县里和见证人三方签名，现在还不能答。',
  log_forked: '票箱的公开记录和以前的对不上，可能被人改过。请不要在这里答，截图告诉村务监督委员会。',
  manifest_changed: '测评的说明书和签过名的不一样。请不要在这里答，把这件事告诉村务监督委员会。',
  keys_differ: '镇里和县里报出来的钥匙不一样。请先不要登记，把这件事告诉发卡的工作人员。',
  keys_unknown: '镇里的系统还没有和县里连上，暂时核对不了钥匙，请稍后再试。',
  malformed: '收到的内容读不懂，可能正在更新，请稍后再试。',
  not_on_roll: '名册上没有您，这个票箱您不能投。如果弄错了，请告诉村务监督委员会。',
  not_begun: '这个票箱还没有领票。',
  too_many_revisions: '已经改过七次，不能再改了，最后一次的算数。',
  already_issued: '您的票已经在另一部手机上领过了，请用那部手机继续。',
  votes_on_paper: '登记册上您选了纸票，不能再用手机领票。',
  not_enrolled: '这部手机还没有登记，请先用登记卡登记。',
  not_issuing: '现在不在领票的时间内。',
  level_too_low: '从这里作答保护不够，请到县里的网页或者小程序去答。',
  stale_seq: '票箱里已经有这一次或更新的答卷，请重新答一次。',
  closed: '投票已经截止，这一次没有投进去；以前投进去的仍然算数。',
  ticket: '票箱不认这张票，请返回后再试；还不行就告诉村务监督委员会。',
  bad_form: '票箱不收这个信封，请更新后再试。',
  slip_used: '这张纸票已经投过了。如果不是您投的，请拿着纸票告诉村务监督委员会。',
  unknown_slip: '这个票箱没有这张纸票，请对照纸票再输一次。',
}

/** What is wrong with a typed code. */
export const codeFaults: Record<string, string> = {
  length: '要输满21个字母和数字。',
  character: '里面有不会出现在码里的字，请对照再输一次。',
  check: '有一个字输错了，请对照再看一遍。',
}

export const boxStates: Record<string, string> = {
  draft: '筹备中',
  signed: '等待开箱',
  issuing: '正在进行',
  casting: '还可以投，不再领票',
  closed: '已截止，等待开箱计票',
  counted: '已计票',
  published: '已公布',
  wiped: '已公布',
  cancelled: '已取消',
  too_few: '人数太少，没有开箱',
}

export const troubles: Record<string, string> = {
  cosigner_down: '共签方或见证方没有应答，系统会接着试。',
  roll_mismatch: '共签方的名册和这里的不一样，请双方核对。',
  log_forked: '共签方或见证方看到的日志和这里的不一样：可能被改过，或者备份出了错。',
  cosigner_wrong: '共签方的回答不对。',
  slips_unaccounted: '纸票账还没有报：报了才计票。',
  count_wrong: '计票和日志对不上。',
}

/** How far this phone has come in a box, in words. */
const progressWords: Record<string, string> = {
  new: '还没有领票',
  keys: '正在领票',
  sent_a: '正在领票',
  have_a: '正在领票',
  have_ab: '已领票，还没有答',
  sealed: '已封好，还没有寄出去',
  posted: '已寄出，等着进票箱',
  in_box: '已在票箱里',
  counted: '已计入 ✓',
  missing: '没有找到您的票',
  cancelled: '测评取消了，没有拆任何信封',
  too_few: '投的人太少，没有拆任何信封',
}

/** How far it has come, in words. */
export const progressWord = (progress: Progress | undefined): string =>
  progressWords[progress?.state === 'ended' ? progress.why : (progress?.state ?? 'new')]!

export const missingReasons: Record<string, string> = {
  not_in_box: '截止时票箱的记录里没有您的信封。',
  unopenable: '您的信封被记为“打不开”。',
  withheld: '您的信封被记为“重复”，没有计入。',
  row_absent: '公布的选票里没有您的那一张。',
}

export const rollChecks: Record<string, string> = {
  as_it_should: '名册上您的领票记录和这部手机记的一样 ✓',
  issued_without_asking: '名册上记着您领了票，可是这部手机没有领过。如果您也没有用别的手机领、没有领纸票，请告诉村务监督委员会。',
  asked_but_not_listed: '您领过票，可是名册上没有记。请告诉村务监督委员会。',
  authorities_differ: '镇里和县里记的领票不一样。请告诉村务监督委员会。',
}
