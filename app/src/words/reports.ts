/** What stands on the screens of sealed reports. */

/** Two sentences before anything is written. */
export const protection = {
  is: '您写的在这部手机上就加密了，只有收举报的纪委的人用自己的钥匙才打得开；平台、镇里、村里和系统管理员都看不到，不用登录，也不记您是谁、从哪里提交。',
  isNot: '保护不了的是：有人看着您的手机或网络，内容本身让人猜出是您，或者平台发给您的这个网页被人动过；最要紧的事请打12388或当面说。',
}

export const reportStates: Record<string, string> = {
  received: '已收到，纪委还没有定',
  within_remit: '已受理',
  not_within_remit: '不属于受理范围',
  duplicate: '重复举报',
}

/** What the office may decide, by where a report stands. */
export const decisionsIn: Record<string, [string, string][]> = {
  received: [
    ['within_remit', '受理'],
    ['not_within_remit', '不属于受理范围'],
    ['duplicate', '重复举报'],
  ],
  not_within_remit: [['within_remit', '受理']],
  duplicate: [['within_remit', '受理']],
  within_remit: [],
}

/** Refusals that no server words. */
export const refusals: Record<string, string> = {
  no_network: '网络不通，没有提交成功。请不要离开这一页，等有网了再点一次。',
  no_randomness: '这部手机拿不到安全的随机数，不能加密，请换一部手机，或者拨打12388。',
  malformed: '收到的内容读不懂，可能正在更新，请稍后再试。',
  not_for_this_key: '打不开：口令不对，或者不是这把钥匙。',
  cannot_open: '这一条用您选的钥匙打不开。',
  no_office: '这个纪委现在收不了加密的补充，请拨打12388。',
}

/** For those whom no office here can receive. */
export const elsewhere = '请拨打12388，或者到纪检监察机关举报网站去写。'
