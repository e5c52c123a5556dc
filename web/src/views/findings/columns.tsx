import type { Schema } from '../../api/client'
import { Severity, Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import type { Column } from '../../parts/Rows'
import { When } from '../../parts/When'
import { percent } from './Bits'

type Row = Schema<'AnyFindingOut'>

/** The columns of the list of findings; those in the middle go first where there is little room. */
export function columns(environments: Schema<'EnvironmentOut'>[]): Column<Row>[] {
  const names = new Map(environments.map((one) => [one.id, one.name]))
  return [
    { name: 'Title', width: 'minmax(9rem, 1fr)', cell: (row) => <Outside>{row.title}</Outside> },
    {
      name: 'Severity', width: '5.5rem', sort: 'severity_rank',
      cell: (row) => <Severity of={row.severity} score={row.severity_score} />,
    },
    { name: 'Kind', width: '5rem', from: 620, cell: (row) => row.kind },
    { name: 'Status', width: '7.5rem', from: 500, cell: (row) => <Status of={row.status} /> },
    { name: 'Confidence', width: '6rem', from: 1_000, cell: (row) => percent(row.confidence_score) },
    {
      name: 'Environment', width: '8rem', from: 760,
      cell: ({ environment_id: id }) => <Outside>{id && (names.get(id) ?? id)}</Outside>,
    },
    { name: 'Resource', width: '8rem', from: 1_320, cell: (row) => <Outside>{row.resource_name}</Outside> },
    { name: 'Seen', width: '4.5rem', from: 900, cell: (row) => `${row.seen_count.toLocaleString('en')} ×` },
    { name: 'First seen', width: '6.5rem', from: 620, sort: 'first_seen', cell: (row) => <When at={row.first_seen} /> },
    { name: 'Last seen', width: '6.5rem', from: 1_250, cell: (row) => <When at={row.last_seen} /> },
  ]
}
