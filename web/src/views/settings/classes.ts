import type { Option } from '../../logic/fields'

/** What each class of kept things holds. */
export const ABOUT: Record<string, string> = {
  findings: 'findings of every kind, after their end, with everything said about them',
  correlations: 'what else happened around findings',
  predictions: 'what learned models said',
  conversations: 'what people said to the assistant',
  notifications: 'what people were told',
  usage: 'what quotas are counted from',
  costs: 'what things cost',
  evidence: 'changes: intents, plans, decisions, approvals, executions and their evidence',
  audit: 'the signed log',
  models: 'learned models, version by version',
}

/** Classes as words to choose from. */
export const classes: Option[] = Object.entries(ABOUT).map(([value, about]) => ({ value, label: `${value}: ${about}` }))

const STAYS: Record<string, string> = {
  legal_hold: 'under a legal hold', not_over: 'not over', too_young: 'too young',
  referred_to: 'referred to by what stays', in_use: 'in use',
}

/** Why things stay, in words: `12 too young, 3 in use`. */
export function stays(stay: Record<string, number>): string {
  return Object.entries(stay)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count.toLocaleString('en')} ${STAYS[reason] ?? reason.replaceAll('_', ' ')}`)
    .join(', ')
}
