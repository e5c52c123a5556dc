import { Select, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { get, pages } from '../../api/queries'
import { asRecord } from '../../logic/loose'
import { readAlertTriggers } from '../../logic/alertTriggers'
import { shown } from '../../logic/visible'
import { called } from '../../logic/wouldHappen'
import { Outside } from '../../parts/Outside'
import { Failed } from '../../parts/State'
import { useAll } from '../../parts/useAll'
import { useEnvironments } from '../estate/data'

/** What is to run, where and with what. */
export interface Wanted {
  runbook: string
  /** A resource by its id; empty where the alert says it. */
  target: string
  variables: Record<string, string>
}

interface RunbookChoiceProps {
  finding: Schema<'AnyFindingOut'>
  wanted: Wanted
  want: (wanted: Wanted) => void
  problem: Problem | undefined
}

/** Which runbook, on what, with which values. Those whose triggers matched the alert come first. */
export function RunbookChoice({ finding, wanted, want, problem }: RunbookChoiceProps) {
  const list = useInfiniteQuery(pages('/api/v1/runbooks', { status: ['active'], sort: 'name' }, 100))
  const items = useAll(list).data ?? []
  const isAlert = finding.kind === 'alert'
  const alert = useQuery({
    ...get('/api/v1/alerts/{id}', { params: { path: { id: finding.id } } }), enabled: isAlert,
  })
  const matched = new Set(
    readAlertTriggers(alert.data?.trigger_report).runbooks.filter((one) => one.matched).map((one) => one.id),
  )
  const option = ({ id, name }: Schema<'SummaryOut'>) => ({ value: id, label: shown(name) })
  const names = new Map(items.map(({ id, name }) => [id, name]))
  const groups = [
    { group: 'Their triggers matched', items: items.filter((one) => matched.has(one.id)).map(option) },
    {
      group: matched.size > 0 ? 'Others' : 'Active runbooks',
      items: items.filter((one) => !matched.has(one.id)).map(option),
    },
  ].filter((group) => group.items.length > 0)
  return (
    <Stack gap="sm">
      {list.error && <Failed problem={asProblem(list.error)} retry={() => void list.refetch()} />}
      <Select
        label="Runbook" required searchable data={groups} value={wanted.runbook || null} data-autofocus
        renderOption={({ option: { value, label } }) => <Outside>{names.get(value) ?? label}</Outside>}
        nothingFoundMessage={list.isPending ? 'Loading…' : 'No active runbook is called that'}
        onChange={(runbook) => want({ ...wanted, runbook: runbook ?? '', variables: {} })}
      />
      <Target finding={finding} wanted={wanted} want={want} fault={problem?.field('/targets')} />
      {wanted.runbook && <Variables wanted={wanted} want={want} alert={isAlert} problem={problem} />}
    </Stack>
  )
}

interface TargetProps {
  finding: Schema<'AnyFindingOut'>
  wanted: Wanted
  want: (wanted: Wanted) => void
  fault: string | undefined
}

function Target({ finding, wanted, want, fault }: TargetProps) {
  const [typed, type] = useState('')
  const [picked, pick] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), 200)
  const environments = useEnvironments().data?.items
  const chosen = useQuery({
    ...get('/api/v1/resources/{id}', { params: { path: { id: wanted.target } } }), enabled: wanted.target !== '',
  })
  const label = ({ id, name, environment_id, hostname }: Schema<'ResourceOut'>) => called({
    id, name, host: hostname ?? '',
    environment: environments?.find((one) => one.id === environment_id)?.name ?? '',
  })
  const known = chosen.data && label(chosen.data)
  // What is chosen stands in the field: it is no search.
  const standing = [picked, shown(known ?? wanted.target)].includes(asked)
  const search = asked && !standing ? asked : undefined
  const found = useQuery(get('/api/v1/resources', { params: { query: { q: search, limit: 20, sort: 'name' } } }))
  const all = new Map((found.data?.items ?? []).map((one) => [one.id, label(one)]))
  if (wanted.target) all.set(wanted.target, known ?? all.get(wanted.target) ?? wanted.target)
  return (
    <Select
      label="Where" searchable clearable={finding.kind === 'alert'} required={finding.kind !== 'alert'}
      description={finding.kind === 'alert' ? 'Left empty, it runs where the alert says.' : undefined}
      placeholder={finding.kind === 'alert' ? 'Where the alert says' : 'A resource of the estate'}
      data={[...all].map(([value, said]) => ({ value, label: shown(said) }))}
      renderOption={({ option }) => <Outside>{all.get(option.value) ?? option.label}</Outside>}
      value={wanted.target || null} error={fault}
      onSearchChange={type}
      // The server searched already.
      filter={({ options }) => options}
      nothingFoundMessage={found.isPending ? 'Loading…' : 'No resource is called that'}
      onChange={(target, option) => {
        pick(option?.label ?? '')
        want({ ...wanted, target: target ?? '' })
      }}
    />
  )
}

interface VariablesProps {
  wanted: Wanted
  want: (wanted: Wanted) => void
  alert: boolean
  problem: Problem | undefined
}

function Variables({ wanted, want, alert, problem }: VariablesProps) {
  const runbook = useQuery(get('/api/v1/runbooks/{id}', { params: { path: { id: wanted.runbook } } }))
  if (runbook.error) return <Failed problem={asProblem(runbook.error)} retry={() => void runbook.refetch()} />
  const document = asRecord(runbook.data?.document)
  const variables = Object.entries(asRecord(document.environment_vars))
  if (variables.length === 0) return null
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>Values of its variables</Text>
      {variables.map(([name, usual]) => (
        <TextInput
          key={name} label={name} value={wanted.variables[name] ?? ''}
          placeholder={typeof usual === 'string' ? usual : ''}
          description={described(usual, alert)}
          error={problem?.field(`/variables/${name}`)}
          onChange={(event) => {
            const variables = { ...wanted.variables, [name]: event.currentTarget.value }
            want({ ...wanted, variables })
          }}
        />
      ))}
    </Stack>
  )
}

function described(usual: unknown, alert: boolean): string {
  if (typeof usual !== 'string' || usual === '') return 'It has no usual value.'
  if (!alert && usual.includes('alert.')) return 'Its usual value comes from an alert; this is none, so say it.'
  return 'Left empty, it has the value shown.'
}
