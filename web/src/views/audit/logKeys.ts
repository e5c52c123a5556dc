import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { cryptography } from '../../logic/bytes'
import { keyChange, parseMemory, withKeys, withSeen, type KeyChange, type LogMemory } from '../../logic/logMemory'
import { parseCheckpoint, parseKey, parseNote, parsePolicy, type Checkpoint, type Trusted } from '../../logic/note'

const memoryName = (origin: string) => `countersign.log ${origin}`

function remembered(origin: string): LogMemory | undefined {
  try {
    return parseMemory(localStorage.getItem(memoryName(origin)))
  } catch {
    // A browser that keeps nothing: every visit is the first.
    return undefined
  }
}

function remember(origin: string, memory: LogMemory) {
  try {
    localStorage.setItem(memoryName(origin), JSON.stringify(memory))
  } catch {
    // As above.
  }
}

/** What the server names as the log's keys: none where it names none. */
async function offeredKeys(): Promise<{ trusted: Trusted[]; wrong: number[] }> {
  const call = api.GET as unknown as (path: string, init: object) => Promise<{ data: unknown }>
  try {
    const { data } = await call('/api/v1/audit/keys', { parseAs: 'text' })
    return await parsePolicy(typeof data === 'string' ? data : '')
  } catch (error) {
    if (asProblem(error).status === 404) return { trusted: [], wrong: [] }
    throw error
  }
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
  const parsed = note === undefined ? 'nothing' : parseNote(note)
  return typeof parsed === 'string' ? undefined : parseCheckpoint(parsed.text)
}

/** The keys of a log, and how they stand to those this browser knows. */
export interface LogKeys {
  /** They were asked for. */
  ready: boolean
  error: Error | null
  /** The keys checks go by: those that are known; all that are offered where none was known. */
  trusted: Trusted[]
  /** What the server or a person offers now. */
  offered: Trusted[]
  change: KeyChange
  memory: LogMemory | undefined
  /** Takes on the keys that are offered now. */
  accept: () => void
  /** Somebody compared the fingerprints. */
  compared: () => void
  /** Keys a person gives; says what is wrong with them. */
  give: (text: string) => Promise<string | undefined>
  /** A checkpoint whose signature was good. */
  saw: (checkpoint: Checkpoint) => void
}

/** The keys of the log `origin`. */
export function useLogKeys(origin: string | undefined): LogKeys {
  const named = useQuery({
    queryKey: ['/api/v1/audit/keys', origin ?? ''],
    queryFn: offeredKeys,
    enabled: origin !== undefined && cryptography(),
    retry: false,
  })
  // As it was when the page was opened: a key that is seen for the first time is new all along.
  const [memory, setMemory] = useState<LogMemory>()
  const [given, setGiven] = useState<Trusted[]>([])
  const [kept, setKept] = useState<Trusted[]>()
  useEffect(() => {
    if (origin === undefined) return
    const found = remembered(origin)
    setMemory(found)
    setGiven([])
    let gone = false
    if (!cryptography()) return
    void Promise.all((found?.keys ?? []).map(({ text }) => parseKey(text))).then((keys) => {
      if (!gone) setKept(keys.flatMap((key) => (key ? [{ key, from: 0 }] : [])))
    })
    return () => void (gone = true)
  }, [origin])

  const server = named.data?.trusted ?? []
  const offered = given.length > 0 ? given : server
  const texts = offered.map(({ key }) => key.text)
  const change: KeyChange = offered.length > 0
    ? keyChange(memory, texts)
    : { state: memory?.keys.length ? 'known' : 'first', fresh: [], gone: [] }
  const first = change.state === 'first' && offered.length > 0
  const known = (kept ?? []).map((one) => offered.find(({ key }) => key.text === one.key.text) ?? one)
  const all = texts.join('\n')
  useEffect(() => {
    if (origin === undefined || !first) return
    remember(origin, withKeys(remembered(origin), all.split('\n'), new Date().toISOString()))
  }, [origin, first, all])

  const put = (next: LogMemory, keys: Trusted[]) => {
    if (origin !== undefined) remember(origin, next)
    setMemory(next)
    setKept(keys)
  }
  const saw = useCallback((checkpoint: Checkpoint) => {
    const now = remembered(checkpoint.origin)
    if (now) remember(checkpoint.origin, withSeen(now, checkpoint, new Date().toISOString()))
  }, [])
  return {
    ready: kept !== undefined && !named.isPending,
    error: named.error,
    trusted: change.state === 'first' ? offered : known,
    offered,
    change,
    memory,
    accept: () => put({ ...withKeys(memory, texts, new Date().toISOString()), compared: undefined }, offered),
    compared: () => {
      const now = new Date().toISOString()
      const keys = offered.length > 0 ? offered : known
      put({ ...withKeys(memory, keys.map(({ key }) => key.text), now), compared: now }, keys)
    },
    give: async (text) => {
      const { trusted, wrong } = await parsePolicy(text)
      if (wrong.length > 0) return `Line ${wrong[0]} is no key: name+8 hexadecimal digits+base64, and what it may sign.`
      // The keys of a deployment are those of all its tenants.
      const own = trusted.filter(({ key }) => key.name === origin)
      if (own.length === 0) return `There is no key of this log in it: that bears its name, ${origin ?? ''}.`
      setGiven(own)
      return undefined
    },
    saw,
  }
}
