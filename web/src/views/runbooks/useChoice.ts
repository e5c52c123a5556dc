import { useMemo, useState } from 'react'
import { useSearch } from '../../app/search'

/** Where and with what a runbook is to run. */
export interface Choice {
  /** Ids of resources. */
  hosts: string[]
  /** The id of the alert it answers. */
  alert: string | undefined
  variables: Record<string, string>
  setHosts: (hosts: string[]) => void
  setAlert: (alert: string | undefined) => void
  setVariable: (name: string, value: string) => void
  /** The same, as the API takes it. */
  body: { targets?: string[]; finding_id?: string; variables?: Record<string, string> }
  /** The same as a text: two choices are one when these are. */
  key: string
  /** Whether anything says where it runs. */
  placed: boolean
}

/** What was chosen: hosts and alert stand in the URL; values of variables do not, they may be anybody's. */
export function useChoice(): Choice {
  const [search, set] = useSearch()
  const [variables, setVariables] = useState<Record<string, string>>({})
  const hosts = useMemo(() => (search.hosts ?? '').split(',').filter((id) => id !== ''), [search.hosts])
  const given = Object.entries(variables).filter(([, value]) => value !== '')
  const body: Choice['body'] = {}
  if (hosts.length > 0) body.targets = hosts
  if (search.alert) body.finding_id = search.alert
  if (given.length > 0) body.variables = Object.fromEntries(given)
  return {
    hosts,
    alert: search.alert,
    variables,
    setHosts: (chosen) => set({ hosts: chosen.join(',') }),
    setAlert: (alert) => set({ alert }),
    setVariable: (name, value) => setVariables((now) => ({ ...now, [name]: value })),
    body,
    key: JSON.stringify(body),
    placed: hosts.length > 0 || search.alert !== undefined,
  }
}
