import { Anchor, Button, Group, Text } from '@mantine/core'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { useMay } from '../../app/session'
import { cryptography, hex, sha256 } from '../../logic/bytes'
import { byteSize } from '../../logic/byteSize'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { saveFile } from '../../parts/saveFile'
import { Empty, Failed } from '../../parts/State'
import { When } from '../../parts/When'
import { useSome } from './useSome'

type Piece = Schema<'EvidenceOut'>

/** The evidence an execution left, each piece with its hash, to be taken and to be checked. */
export function Evidence({ execution }: { execution: Schema<'ExecutionDetail'> }) {
  const mayAudit = useMay('audit.read')
  const { shown, more } = useSome(execution.evidence, 'piece')
  const runs = useMemo(() => new Map(execution.steps.map((step) => [step.id, step])), [execution.steps])
  if (execution.evidence.length === 0) {
    return (
      <Empty title="No evidence">
        Evidence is what the plan asks its steps to leave. It is collected before an execution counts as completed.
      </Empty>
    )
  }
  const of = (piece: Piece) => runs.get(piece.step_run_id ?? '')
  return (
    <>
      <PlainTable
        label="Evidence" rows={shown} id={(piece) => piece.id}
        columns={[
          {
            name: 'What',
            cell: (piece) => <>{piece.type}: <Outside>{piece.query}</Outside> <Elsewhere link={piece.link} /></>,
          },
          { name: 'Of', cell: (piece) => <Of run={of(piece)} /> },
          { name: 'Collected', cell: (piece) => <When at={piece.collected_at} /> },
          { name: 'SHA-256 as recorded', cell: (piece) => <span className="mono">{piece.sha256}</span> },
          {
            name: 'Actions',
            cell: (piece) => <Acts execution={execution.id} piece={piece} name={fileOf(piece, of(piece))} />,
          },
        ]}
      />
      {more}
      {mayAudit && (
        <Text size="sm" className="faint" mt="xs">
          The hashes are also in the signed log:{' '}
          <Anchor
            component={Link} to="/audit" size="sm"
            search={{ action: 'evidence.stored', target_type: 'execution', target_id: execution.id } as never}
          >
            evidence stored
          </Anchor>
        </Text>
      )}
    </>
  )
}

function Of({ run }: { run: Schema<'StepRunOut'> | undefined }) {
  if (!run) return <span className="faint">the whole</span>
  return <><Outside>{run.name}</Outside> on <Outside>{run.target}</Outside></>
}

const fileOf = (piece: Piece, run: Schema<'StepRunOut'> | undefined) =>
  `${run ? `${run.name}-${run.target}-` : ''}${piece.type}-${piece.id}.json`

function Elsewhere({ link }: { link: string | null | undefined }) {
  if (!link || !/^https?:\/\//i.test(link) || !URL.canParse(link)) return null
  return <Anchor href={link} target="_blank" rel="noreferrer noopener" size="sm">elsewhere</Anchor>
}

async function fetched(execution: string, evidence: string): Promise<ArrayBuffer> {
  const params = { path: { id: execution, evidence } }
  const { data } = await api.GET('/api/v1/executions/{id}/evidence/{evidence}', { params, parseAs: 'arrayBuffer' })
  return data ?? new ArrayBuffer(0)
}

function Acts({ execution, piece, name }: { execution: string; piece: Piece; name: string }) {
  const download = useMutation({
    mutationFn: async () =>
      saveFile(new Blob([await fetched(execution, piece.id)], { type: 'application/json' }), name),
  })
  const check = useMutation({
    mutationFn: async () => {
      const bytes = new Uint8Array(await fetched(execution, piece.id))
      return { size: bytes.length, hash: hex(await sha256(bytes)) }
    },
  })
  const error = download.error ?? check.error
  return (
    <>
      <Group gap={6}>
        <Button
          size="compact-xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}
          aria-label={`Download ${name}`}
        >
          Download
        </Button>
        {cryptography() ? (
          <Button
            size="compact-xs" variant="default" loading={check.isPending} onClick={() => check.mutate()}
            aria-label={`Check the hash of ${name} here`}
          >
            Check here
          </Button>
        ) : <Text size="xs" className="faint">To check it here, open the console over HTTPS.</Text>}
      </Group>
      {check.data && <Checked found={check.data} wanted={piece.sha256} />}
      {error && <Failed problem={asProblem(error)} />}
    </>
  )
}

/** Whether what was fetched has the hash that was recorded, computed by this browser. */
function Checked({ found, wanted }: { found: { size: number; hash: string }; wanted: string }) {
  const good = found.hash === wanted.toLowerCase()
  return (
    <Text size="xs" mt={4} role="status" component="div" fw={600}>
      {good ? <IconCheck size={14} aria-hidden /> : <IconX size={14} aria-hidden />}{' '}
      {good ? `The ${byteSize(found.size)} have this hash.` : 'What is stored has another hash: it was changed.'}
      {!good && <div className="mono">{found.hash}</div>}
    </Text>
  )
}
