import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Tone } from '../../parts/Tone'

type Rule = Schema<'RuleOut'>

const path = (id: string) => ({ path: { id } })

const ACTIONS = [
  { value: 'auto_analyze', label: 'Look into it: match it with runbooks' },
  { value: 'manual', label: 'Keep it for people' },
  { value: 'ignore', label: 'Ignore it' },
]

const fields: Field[] = [
  { at: 'name', label: 'Name', kind: 'text', required: true },
  {
    at: 'priority', label: 'Priority', kind: 'number', required: true, initial: 100,
    help: 'Lower is asked first; the first that fits decides.',
  },
  {
    at: 'alert_name_pattern', label: 'Name of the alert', kind: 'text', required: true, initial: '*',
    help: '* stands for any text, ? for one character, whatever the case.',
  },
  {
    at: 'severity_pattern', label: 'Severity', kind: 'text', required: true, initial: '*',
    help: 'The sender’s word or ours: low, medium, high, critical.',
  },
  { at: 'action', label: 'What to do', kind: 'choice', required: true, initial: 'auto_analyze', options: ACTIONS },
  { at: 'enabled', label: 'It is asked', kind: 'boolean', initial: true },
]

const columns: PlainColumn<Rule>[] = [
  { name: 'Priority', cell: (rule) => rule.priority },
  { name: 'Rule', cell: (rule) => <Outside>{rule.name}</Outside> },
  { name: 'Alerts named', cell: (rule) => <Outside mono>{rule.alert_name_pattern}</Outside> },
  { name: 'Of severity', cell: (rule) => <Outside mono>{rule.severity_pattern}</Outside> },
  {
    name: 'What is done', cell: (rule) => ACTIONS.find((action) => action.value === rule.action)?.label ?? rule.action,
  },
  {
    name: 'State',
    cell: (rule) => rule.enabled ? 'asked' : <Tone of="gray">not asked</Tone>,
  },
]

/** What is done with an alert, by its name and severity; the first rule that fits decides. */
export function AlertRules() {
  const all = useQuery(get('/api/v1/alert-rules'))
  const why = useMay('alert_rules.write') ? undefined : needed('alert_rules.write')
  return (
    <Kept
      title="Alert rules" one="a rule" query={all} columns={columns} fields={fields} why={why} touched={['alert-rules']}
      about="Rules are asked in the order of their priority. Alerts that were ruled on stay as they are."
      empty="Every alert is kept for people." id={(rule) => rule.id} name={(rule) => rule.name}
      add={(body) => api.POST('/api/v1/alert-rules', { body: body as Schema<'RuleIn'> })}
      read={(rule) => seen(api.GET('/api/v1/alert-rules/{id}', { params: path(rule.id) }))}
      replace={(rule, body, tag) =>
        api.PUT('/api/v1/alert-rules/{id}', {
          params: { ...path(rule.id), header: ifSeen(tag) }, body: body as Schema<'RuleIn'>,
        })}
      remove={{
        says: () => 'New alerts that it decided about are decided about by the next rule that fits.',
        act: (rule) => api.DELETE('/api/v1/alert-rules/{id}', { params: path(rule.id) }),
      }}
    />
  )
}
