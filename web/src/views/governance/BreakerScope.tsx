import type { Schema } from '../../api/client'
import { Outside } from '../../parts/Outside'
import { ThingName } from '../../parts/ThingName'

export type Breaker = Schema<'BreakerOut'>

/** What a breaker is about, by name. */
export function Scope({ breaker }: { breaker: Pick<Breaker, 'scope' | 'scope_id'> }) {
  if (breaker.scope === 'runbook' || breaker.scope === 'resource') {
    return <>{breaker.scope} <ThingName kind={breaker.scope} id={breaker.scope_id} /></>
  }
  return breaker.scope === 'global' ? <>everything</> : <>action <Outside mono>{breaker.scope_id}</Outside></>
}
