import type { Problem } from '../../api/problem'
import { Failed } from '../../parts/State'
import { Note } from './Note'

/** Why a choice was refused; where all of it is said at the fields, only that. */
export function Refused({ problem, variables }: { problem: Problem; variables: [string, string][] }) {
  const named = new Set(variables.flatMap(([name]) => [`/environment_vars/${name}`, `/variables/${name}`]))
  const atField = (path: string) => path.startsWith('/targets') || path === '/finding_id' || named.has(path)
  if (problem.errors.length > 0 && problem.errors.every((fault) => atField(fault.path))) {
    return <Note color="red" title="Nothing can be made of this choice">What is marked above says why.</Note>
  }
  return <Failed problem={problem} />
}
