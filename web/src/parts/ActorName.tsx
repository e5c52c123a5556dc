import { Tooltip } from '@mantine/core'
import { Outside } from './Outside'
import { useActor } from './useActor'

interface ActorNameProps {
  id?: string | null
  /** What they are called, where whatever names them says it as well. */
  name?: string | null
}

/** Who it was: a person, a service or an agent by name, whoever is looking as `you`. */
export function ActorName({ id, name: told }: ActorNameProps) {
  const { name, type, waiting, ours } = useActor(id, told)
  if (!id) return <span className="faint">–</span>
  if (!name) return waiting ? <span className="faint">…</span> : <span className="mono">{id}</span>
  if (ours) return <span>{name}</span>
  const label = type && type !== 'user' ? `${type} ${id}` : id
  return <Tooltip label={label}><span><Outside>{name}</Outside></span></Tooltip>
}
