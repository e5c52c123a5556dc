/** The page of something, by the type the log and the search name it by; none where there is none. */
export function pageOf(type: string, id: string): string | undefined {
  switch (type) {
    case 'finding': case 'findings': case 'alert': case 'alerts': case 'drift': case 'drifts':
      return `/findings/${id}`
    case 'resource': case 'resources':
      return `/estate/${id}`
    case 'environment': case 'environments':
      return `/estate?environment=${id}`
    case 'runbook': case 'runbooks':
      return `/runbooks/${id}`
    case 'plan': case 'plans':
      return `/plans/${id}`
    case 'approval': case 'approvals':
      return `/approvals/${id}`
    case 'execution': case 'executions':
      return `/executions/${id}`
    case 'decision': case 'decisions':
      return `/decisions/${id}`
    case 'audit_event': case 'audit_events':
      return `/audit/${id}`
    case 'breaker': case 'circuit_breaker':
      return '/governance?tab=breakers'
    case 'exception': case 'exceptions':
      return '/governance?tab=exceptions'
    case 'policy_bundle': case 'policies':
      return '/governance?tab=policies'
    case 'blackout_window': case 'blackout_windows':
      return '/governance?tab=windows'
    case 'user': case 'users': case 'invitation':
      return '/settings?tab=users'
    case 'api_key': case 'service_account':
      return '/settings?tab=keys'
    case 'connection': case 'credential':
      return '/settings?tab=connections'
    default:
      return undefined
  }
}

/** What was found of a kind. */
interface Kind<Item> {
  kind: string
  items: Item[]
  more: boolean
}

/** What was found, each with its page; what has none is left out, for nobody could go there. */
export function leading<Item extends { id: string }>(found: Kind<Item>[]): Kind<Item & { to: string }>[] {
  return found.flatMap(({ kind, items, more }) => {
    const there = items.flatMap((item) => {
      const to = pageOf(kind, item.id)
      return to === undefined ? [] : [{ ...item, to }]
    })
    return there.length > 0 ? [{ kind, items: there, more }] : []
  })
}
