import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { Problem } from '../../api/problem'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Body, Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { When } from '../../parts/When'

type Setting = Schema<'SettingOut'>

const LONGEST_SHOWN = 300

const fields: Field[] = [
  {
    at: 'key', label: 'Key', kind: 'text', required: true, once: true, placeholder: 'console',
    help: 'Up to 50 small letters, digits, _ and ., a letter in front.',
  },
  {
    at: 'value', label: 'Value', kind: 'json', required: true, help: 'Any JSON; nothing secret.',
    placeholder: '{"theme": "dark"}',
  },
]

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}

const columns: PlainColumn<Setting>[] = [
  { name: 'Key', cell: (setting) => <span className="mono">{setting.key}</span> },
  { name: 'Value', cell: (setting) => <Outside mono>{short(setting.value)}</Outside> },
  {
    name: 'Set',
    cell: (setting) => (
      <Text size="xs" component="div">
        <When at={setting.updated_at} />{setting.updated_by && <> by <ActorName id={setting.updated_by} /></>}
      </Text>
    ),
  },
]

const path = (key: string) => ({ path: { key } })

function put({ key, value }: Body, tag: string | undefined) {
  return api.PUT('/api/v1/settings/{key}', { params: { ...path(String(key)), header: ifSeen(tag) }, body: { value } })
}

const taken = () =>
  new Problem(409, {
    title: 'It was not set',
    errors: [{ path: '/key', code: 'taken', message: 'is set already: change it in the list' }],
  })

/** Settings of the tenant, by key. */
export function KeyValues() {
  const all = useQuery(get('/api/v1/settings'))
  const why = useMay('settings.write') ? undefined : needed('settings.write')
  return (
    <Kept
      title="Settings by key" one="a setting" query={all} columns={columns} fields={fields} why={why}
      touched={['settings']}
      about="What programs around Countersign keep here, as JSON." empty="Nothing is set."
      id={(setting) => setting.key} name={(setting) => setting.key}
      add={(body) => {
        // Setting a key again would replace, without a word, what somebody else keeps there.
        if (all.data?.some((setting) => setting.key === body.key)) return Promise.reject(taken())
        return put(body, undefined)
      }}
      read={(setting) => seen(api.GET('/api/v1/settings/{key}', { params: path(setting.key) }))}
      replace={(_, body, tag) => put(body, tag)}
      remove={{
        says: (setting) => `Whoever reads ${setting.key} finds nothing.`,
        act: (setting) => api.DELETE('/api/v1/settings/{key}', { params: path(setting.key) }),
      }}
    />
  )
}
