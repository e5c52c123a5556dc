import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useAccount } from '../../app/session'
import { cryptography } from '../../logic/bytes'
import { claims, type Against } from '../../logic/checkpointCheck'
import {
  keyChange, keyOf, line, ranged, withKeys, withSeen, type KeyChange, type LogMemory,
} from '../../logic/logMemory'
import { parsePolicy, type Checkpoint, type Trusted } from '../../logic/note'
import { onRemembered, remembered, rewrite } from './remembered'

/** What the server names as the log's keys: none where it names none. */
async function offeredKeys(): Promise<{ trusted: Trusted[]; wrong: number[] }> {
  try {
    const { data } = await api.GET('/api/v1/audit/keys', { parseAs: 'text' })
    return await parsePolicy(data ?? '')
  } catch (error) {
    if (asProblem(error).status === 404) return { trusted: [], wrong: [] }
    throw error
  }
}

/** The proof that the log of `to` events continues that of `from`, as the file it is. */
export async function consistencyOf(from: number, to: number): Promise<string> {
  const params = { query: { from, to } }
  const { data } = await api.GET('/api/v1/audit/consistency', { params, parseAs: 'text' })
  return data ?? ''
}

/** The newest checkpoint, as the note it is. */
export function useCheckpoint() {
  return useQuery({
    ...get('/api/v1/audit/checkpoint', { parseAs: 'text' } as never),
    select: (text): string => text as unknown as string,
    staleTime: 5_000,
    refetchInterval: 15_000,
  })
}

/** What is signed, of a note; none when it is none. Nobody has vouched for it yet. */
export function claimed(note: string | undefined): Checkpoint | undefined {
  return note === undefined ? undefined : claims(note)
}

/** The keys of a log, and how they stand to those this browser knows. */
export interface LogKeys {
  /** They were asked for, and the log has a checkpoint to check by them. */
  ready: boolean
  error: Error | null
  /** The keys checks go by: those that are known; all that are offered where none was known. */
  trusted: Trusted[]
  /** What the server or a person offers now. */
  offered: Trusted[]
  change: KeyChange
  memory: LogMemory | undefined
  /** Somebody gave the keys that are offered now, from elsewhere than this server. */
  pasted: boolean
  /** What checks go by. */
  against: Against
  /** Takes on the keys that are offered now. */
  accept: () => void
  /** Somebody compared the fingerprints. */
  compared: () => void
  /** Keys a person gives; says what is wrong with them. */
  give: (text: string) => Promise<string | undefined>
  /** A checkpoint whose signature was good, and that continues what was seen. */
  saw: (checkpoint: Checkpoint) => void
}

/** What is remembered of a tenant's log, as it is now, and a way to change it. */
function useMemory(tenant: string) {
  const [memory, setMemory] = useState(() => remembered(tenant))
  useEffect(() => {
    setMemory(remembered(tenant))
    return onRemembered(tenant, () => setMemory(remembered(tenant)))
  }, [tenant])
  const change = useCallback((next: (stored: LogMemory | undefined) => LogMemory | undefined) => {
    setMemory(rewrite(tenant, next))
  }, [tenant])
  return [memory, change] as const
}

/** The keys that are remembered, as keys; none until they were read. */
function useKept(memory: LogMemory | undefined): Trusted[] | undefined {
  const all = memory?.keys.map(line).join('\n') ?? ''
  const [kept, setKept] = useState<{ of: string; keys: Trusted[] }>()
  useEffect(() => {
    let gone = false
    // The words of the list of keys: what is remembered is read as what the server says.
    if (cryptography()) void parsePolicy(all).then(({ trusted }) => !gone && setKept({ of: all, keys: trusted }))
    return () => void (gone = true)
  }, [all])
  return kept?.of === all ? kept.keys : undefined
}

/** The keys of this tenant's log, which calls itself `origin`: nobody has vouched for the name yet. */
export function useLogKeys(origin: string | undefined): LogKeys {
  const { tenant_id: tenant } = useAccount()
  const named = useQuery({
    queryKey: ['/api/v1/audit/keys', tenant], queryFn: offeredKeys, enabled: cryptography(), retry: false,
  })
  const [memory, change] = useMemory(tenant)
  // Whether there was no key when the page was opened: what is seen for the first time is new all along.
  const [first, setFirst] = useState(() => (memory?.keys.length ?? 0) === 0)
  const [given, setGiven] = useState<Trusted[]>([])
  const kept = useKept(memory)

  const pasted = given.length > 0
  const server = named.data?.trusted.filter(({ key }) => key.name === origin) ?? []
  const offered = pasted ? given : server
  const found = keyChange(memory, origin ?? memory?.origin ?? '', offered)
  const state: KeyChange = first && !memory?.compared && found.state === 'known' ? { ...found, state: 'first' } : found
  const news = (found.state === 'first' || found.state === 'known') && offered.length > 0
  const all = offered.map((one) => line(keyOf(one))).join('\n')
  const unknown = news && all !== (memory?.keys.map(line).join('\n') ?? '')
  useEffect(() => {
    if (!unknown || origin === undefined) return
    void parsePolicy(all).then(({ trusted }) => change((stored) => {
      // Another tab may have taken on others meanwhile.
      const same = ['first', 'known'].includes(keyChange(stored, origin, trusted).state)
      return same ? withKeys(stored, origin, trusted, new Date().toISOString()) : undefined
    }))
  }, [unknown, origin, all, change])

  const saw = useCallback((checkpoint: Checkpoint) => {
    change((stored) => stored && withSeen(stored, checkpoint, new Date().toISOString()))
  }, [change])
  const take = (keys: Trusted[], compared: boolean) => {
    if (origin === undefined) return
    const now = new Date().toISOString()
    change((stored) => ({ ...withKeys(stored, origin, keys, now), compared: compared ? now : undefined }))
    setFirst(false)
  }
  const trusted = news ? offered : (kept ?? [])
  return {
    ready: origin !== undefined && !named.isPending && (news || kept !== undefined),
    error: named.error,
    trusted,
    offered,
    change: state,
    memory,
    pasted,
    against: { keys: trusted, change: state, memory, pasted, tenant, consistency: consistencyOf },
    accept: () => take(offered, pasted),
    compared: () => take(trusted, true),
    give: async (text) => {
      const { own, wrong } = await ownKeys(text, origin)
      if (wrong !== undefined) return wrong
      const keys = ranged(own, [...server, ...(kept ?? [])])
      setGiven(keys)
      // Whoever brings a key from elsewhere has compared it; one that is not the known one is an alarm.
      if (keyChange(memory, origin ?? '', keys).state !== 'changed') take(keys, true)
      return undefined
    },
    saw,
  }
}

/** The keys of the log `origin` in what a person gives, or what is wrong with it. */
async function ownKeys(text: string, origin: string | undefined): Promise<{ own: Trusted[]; wrong?: string }> {
  const { trusted, wrong } = await parsePolicy(text)
  if (wrong.length > 0) {
    return { own: [], wrong: `Line ${wrong[0]} is no key: name+8 hexadecimal digits+base64, and what it may sign.` }
  }
  // The keys of a deployment are those of all its tenants.
  const own = trusted.filter(({ key }) => key.name === origin)
  if (own.length > 0) return { own }
  return { own, wrong: `There is no key of this log in it: that bears its name, ${origin ?? ''}.` }
}
