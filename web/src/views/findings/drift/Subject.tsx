import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../../api/client'
import { get } from '../../../api/queries'
import { readSubject } from '../../../logic/driftFacts'
import { Outside } from '../../../parts/Outside'
import { Section } from '../../../parts/Section'
import { When } from '../../../parts/When'
import { Fact, Facts } from '../Bits'

interface SubjectProps {
  drift: Schema<'DriftDetailOut'>
  declared: Schema<'DeclaredOut'> | undefined
}

/** What declarations are compared with, by the word of the API. */
const AGAINST: Record<string, string> = {
  provider: 'what its provider has', api: 'what the cluster has', dry_run: 'what the cluster would make of it',
  document: 'another document',
}

/** What drifted: as its declaration calls it, as its provider does, and where it is declared. */
export function Subject({ drift, declared }: SubjectProps) {
  const subject = readSubject(drift.metadata)
  const { iac_repository_id: id, scan_id: scanId } = drift
  const source = useQuery({
    ...get('/api/v1/iac-repositories/{id}', { params: { path: { id: id ?? '' } } }), enabled: !!id,
  })
  const scan = useQuery({
    ...get('/api/v1/drift-scans/{id}', { params: { path: { id: scanId ?? '' } } }), enabled: !!scanId,
  })
  const tags = Object.entries(drift.tags)
  return (
    <Section title="What drifted">
      <Facts>
        <Fact name="In the code"><Outside mono>{subject.address ?? declared?.address}</Outside></Fact>
        <Fact name="Type"><Outside mono>{subject.type ?? declared?.resource_type}</Outside></Fact>
        <Fact name="As its provider calls it"><Outside mono>{subject.id}</Outside></Fact>
        {declared && <Fact name="Declared in the file"><Outside mono>{declared.declared_in}</Outside></Fact>}
        {declared && <Fact name="Read"><When at={declared.last_sync_at} /></Fact>}
        {source.data && (
          <Fact name="Source">
            <Outside>{source.data.name}</Outside> ({source.data.tool}
            {source.data.branch && <>, branch <Outside mono>{source.data.branch}</Outside></>})
          </Fact>
        )}
        {scan.data && (
          <Fact name="Seen by a scan">
            <When at={scan.data.started_at} />, held against {AGAINST[scan.data.against] ?? scan.data.against}
          </Fact>
        )}
        {subject.more.map(([name, text]) => <Fact key={name} name={name}><Outside>{text}</Outside></Fact>)}
        {tags.map(([name, text]) => <Fact key={`tag ${name}`} name={name}><Outside>{text}</Outside></Fact>)}
      </Facts>
    </Section>
  )
}
