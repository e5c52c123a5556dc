import { Alert, Button, FileButton, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem, type FieldFault } from '../../api/problem'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import type { ListedBundle } from '../../logic/policyBundles'
import { Outside } from '../../parts/Outside'
import { Failed, Loaded } from '../../parts/State'
import { useTouch } from '../../parts/useTouch'

interface File {
  path: string
  text: string
}

interface UploadProps {
  opened: boolean
  onClose: () => void
  /** The bundle whose files are the beginning. */
  from: ListedBundle | undefined
  shipped: Schema<'ShippedBundleOut'> | undefined
}

/** A new version of a bundle, or a new bundle: from files, or from one that is there. */
export function UploadBundle({ opened, onClose, from, shipped }: UploadProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Upload a policy bundle" size="xl" closeOnClickOutside={false}>
      {opened && from?.own && <FromBundle from={from.own} onClose={onClose} />}
      {opened && !from?.own && <Form name="own" files={filesOf(shipped?.files ?? {})} onClose={onClose} />}
    </Modal>
  )
}

const filesOf = (files: Record<string, string>): File[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }))

function FromBundle({ from, onClose }: { from: Schema<'BundleOut'>; onClose: () => void }) {
  const files = useQuery(get('/api/v1/policies/{id}', { params: { path: { id: from.id } } }))
  return (
    <Loaded query={files} rows={6}>
      {(found) => (
        <Form name={from.name === 'shipped' ? 'own' : from.name} files={filesOf(found)} onClose={onClose} />
      )}
    </Loaded>
  )
}

function Form({ name: begun, files: first, onClose }: { name: string; files: File[]; onClose: () => void }) {
  const [name, setName] = useState(begun)
  const [files, setFiles] = useState(first)
  const [, set] = useSearch()
  const touch = useTouch()
  const saving = useMutation({
    mutationFn: async () => {
      const body = { name, files: Object.fromEntries(files.map(({ path, text }) => [path, text])) }
      const { data } = await api.POST('/api/v1/policies', { body })
      await touch('policies')
      set({ bundle: data?.id, file: undefined })
      onClose()
    },
  })
  const problem = saving.error ? asProblem(saving.error) : undefined
  const faulty = (path: string) => {
    if (path.trim() === '') return 'is missing'
    return files.filter((file) => file.path === path).length > 1 ? 'is that of another file as well' : undefined
  }
  const take = async (chosen: globalThis.File[]) => {
    const read = await Promise.all(chosen.map(async (file) => ({ path: file.name, text: await file.text() })))
    setFiles((now) => [...now.filter((one) => !read.some((file) => file.path === one.path)), ...read])
  }
  const change = (at: number, part: Partial<File>) =>
    setFiles((now) => now.map((file, index) => (index === at ? { ...file, ...part } : file)))
  return (
    <Stack gap="sm">
      <Text size="sm" className="faint">
        It decides nothing until it is activated. The same name again is its next version; the same files are the same
        version.
      </Text>
      <TextInput
        label="Name" value={name} required error={problem?.field('/name')}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {files.map((file, at) => (
        <OneFile
          key={at} file={file} fault={faulty(file.path)} change={(part) => change(at, part)} drop={() => setFiles(files.toSpliced(at, 1))}
        />
      ))}
      <Group gap="xs">
        <FileButton multiple accept=".rego,text/plain" onChange={(chosen) => void take(chosen)}>
          {(props) => <Button {...props} size="compact-sm" variant="default">Choose files</Button>}
        </FileButton>
        <Button size="compact-sm" variant="default" onClick={() => setFiles([...files, { path: '', text: '' }])}>
          Add an empty file
        </Button>
      </Group>
      {problem && (problem.errors.length > 0 ? <Faults faults={problem.errors} /> : <Failed problem={problem} />)}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button
          loading={saving.isPending} disabled={files.length === 0 || files.some((file) => faulty(file.path))} onClick={() => saving.mutate()}
        >
          Upload
        </Button>
      </Group>
    </Stack>
  )
}

interface OneFileProps {
  file: File
  fault: string | undefined
  change: (part: Partial<File>) => void
  drop: () => void
}

function OneFile({ file, fault, change, drop }: OneFileProps) {
  return (
    <Stack gap={4}>
      <Group gap="xs" align="flex-end">
        <TextInput
          label="Path" value={file.path} flex={1} placeholder="policy.rego" required error={fault}
          onChange={(event) => change({ path: event.currentTarget.value })}
        />
        <Button variant="default" onClick={drop} aria-label={`Leave out ${file.path || 'this file'}`}>Leave out</Button>
      </Group>
      <Textarea
        aria-label={`Rego of ${file.path || 'this file'}`} value={file.text} autosize minRows={4} maxRows={16}
        spellCheck={false} classNames={{ input: 'mono' }}
        onChange={(event) => change({ text: event.currentTarget.value })}
      />
    </Stack>
  )
}

/** What the engine says of the files; it names file, line and column. */
function Faults({ faults }: { faults: FieldFault[] }) {
  return (
    <Alert color="red" variant="light" title="The bundle cannot be used" role="alert">
      {faults.map((fault, at) => (
        <Text size="sm" key={at}>
          <span className="mono">{fault.path.replace(/^\/files\//, '')}</span> <Outside>{fault.message}</Outside>
        </Text>
      ))}
    </Alert>
  )
}
