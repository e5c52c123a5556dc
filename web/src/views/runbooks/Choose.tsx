import { Group, MultiSelect, Pill, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import type { Problem } from '../../api/problem'
import { get } from '../../api/queries'
import { visible } from '../../logic/visible'
import { Severity } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { When } from '../../parts/When'
import classes from './runbooks.module.css'
import type { Choice } from './useChoice'

const REST_MS = 200
const OFFERED = 50

interface ChooseProps {
  choice: Choice
  /** The runbook's variables, each with what it is unless another value is given. */
  variables: [string, string][]
  problem: Problem | undefined
}

/** Where and with what a runbook is to run: hosts, the alert it answers, values of its variables. */
export function Choose({ choice, variables, problem }: ChooseProps) {
  return (
    <Stack gap="sm" className={classes.legible}>
      <div className={classes.choice}>
        <Hosts choice={choice} problem={problem} />
        <Alerts choice={choice} problem={problem} />
      </div>
      {variables.length > 0 && (
        <div className={classes.choice} role="group" aria-label="Variables">
          {variables.map(([name, value]) => (
            <TextInput
              key={name}
              label={<Outside mono>{name}</Outside>}
              description={
                value === '' ? 'Empty unless a value is given.' : <>Left empty it is <Outside mono>{value}</Outside></>
              }
              value={choice.variables[name] ?? ''}
              onChange={(event) => choice.setVariable(name, event.currentTarget.value)}
              error={problem?.field(`/environment_vars/${name}`) ?? problem?.field(`/variables/${name}`)}
              autoComplete="off" spellCheck={false}
            />
          ))}
        </div>
      )}
    </Stack>
  )
}

/** Text from outside where only plain text can stand: what hides in it is written out. */
const plain = (text: string) => visible(text).map((piece) => piece.text).join('')

function Hosts({ choice, problem }: { choice: Choice; problem: Problem | undefined }) {
  const [typed, type] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), REST_MS)
  const found = useQuery(
    get('/api/v1/resources', { params: { query: { q: asked || undefined, status: ['active'], limit: OFFERED } } }),
  )
  const chosen = useQueries({
    queries: choice.hosts.map((id) => ({
      ...get('/api/v1/resources/{id}', { params: { path: { id } } }), retry: false,
    })),
  })
  const known = new Map<string, Schema<'ResourceOut'>>()
  for (const one of [...(found.data?.items ?? []), ...chosen.map((query) => query.data)]) {
    if (one) known.set(one.id, one)
  }
  const ids = [...new Set([...known.keys(), ...choice.hosts])]
  const data = ids.map((id) => ({ value: id, label: plain(known.get(id)?.name ?? id) }))
  const fault = problem?.errors.find((one) => one.path.startsWith('/targets'))
  return (
    <MultiSelect
      label="Hosts"
      description="Where it runs. Left empty, the alert says where."
      placeholder={choice.hosts.length === 0 ? 'Search by name' : undefined}
      data={data} value={choice.hosts} onChange={choice.setHosts} searchable hidePickedOptions clearable
      searchValue={typed} onSearchChange={type} error={fault?.message}
      // The server searched already, by more than the name.
      filter={({ options }) => options}
      nothingFoundMessage={found.isFetching ? 'Searching…' : 'No active resource is like that'}
      renderPill={({ option, onRemove }) => (
        <Pill
          className={classes.pill} withRemoveButton onRemove={onRemove}
          removeButtonProps={{ 'aria-label': `Take ${option.label} out` }}
        >
          <Outside>{known.get(String(option.value))?.name ?? String(option.value)}</Outside>
        </Pill>
      )}
      renderOption={({ option }) => {
        const one = known.get(option.value)
        return (
          <div>
            <Outside>{one?.name ?? option.label}</Outside>
            <Text size="xs" className="faint">
              <Outside>{[one?.kind, one?.hostname, one?.os_type].filter(Boolean).join(' · ')}</Outside>
            </Text>
          </div>
        )
      }}
    />
  )
}

function Alerts({ choice, problem }: { choice: Choice; problem: Problem | undefined }) {
  const [typed, type] = useState<string>()
  const own = useQuery({
    ...get('/api/v1/alerts/{id}', { params: { path: { id: choice.alert ?? '' } } }),
    enabled: choice.alert !== undefined,
    retry: false,
  })
  const title = own.data ? plain(own.data.title) : choice.alert ?? ''
  const [asked] = useDebouncedValue(typed === undefined || typed === title ? '' : typed.trim(), REST_MS)
  const found = useQuery(get('/api/v1/alerts', { params: { query: { q: asked || undefined, limit: OFFERED } } }))
  const known = new Map<string, Schema<'AlertOut'>>()
  for (const one of [...(found.data?.items ?? []), own.data]) if (one) known.set(one.id, one)
  const ids = [...new Set([...known.keys(), ...(choice.alert ? [choice.alert] : [])])]
  return (
    <Select
      label="Alert"
      description="A recorded one it would answer: it gives the variables their values. None is needed."
      placeholder="The latest, or search"
      data={ids.map((id) => ({ value: id, label: plain(known.get(id)?.title ?? id) }))}
      value={choice.alert ?? null}
      onChange={(value) => choice.setAlert(value ?? undefined)}
      searchable clearable searchValue={typed ?? title} onSearchChange={type}
      filter={({ options }) => options}
      error={problem?.field('/finding_id') ?? (own.error ? 'There is no such alert.' : undefined)}
      nothingFoundMessage={found.isFetching ? 'Searching…' : 'No alert is like that'}
      renderOption={({ option }) => {
        const one = known.get(option.value)
        return (
          <div>
            <Outside>{one?.title ?? option.label}</Outside>
            {one && (
              <Group gap={6} mt={2} fz="xs">
                <Severity of={one.severity} /><span>{one.source_status}</span><When at={one.received_at} />
              </Group>
            )}
          </div>
        )
      }}
    />
  )
}
