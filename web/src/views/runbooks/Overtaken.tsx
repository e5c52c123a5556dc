import { Button, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../api/queries'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { LineDiff } from './LineDiff'
import { Note } from './Note'

interface OvertakenProps {
  /** The runbook that is stored. */
  id: string
  /** The text that is not saved. */
  text: string
  saving: boolean
  onReplace: (version: number) => void
  onKeep: () => void
}

/** What somebody else saved meanwhile, compared with the text that is not saved, and what to do about it. */
export function Overtaken({ id, text, saving, onReplace, onKeep }: OvertakenProps) {
  const versions = useQuery(get('/api/v1/runbooks/{id}/versions', { params: { path: { id } } }))
  return (
    <Loaded query={versions} rows={6}>
      {([newest]) => newest && (
        <Stack gap="sm">
          <Note color="yellow" title={`Version ${newest.version} was saved since you began: yours is not saved`}>
            <ActorName id={newest.created_by} /> saved it <When at={newest.created_at} />
            {newest.change_summary && <>: <Outside>{newest.change_summary}</Outside></>}. Your text is kept as it is.
            Take over into it what you want to keep of the other, then save it in its place.
          </Note>
          <LineDiff
            before={newest.yaml.replaceAll('\r\n', '\n')} after={text}
            names={[`Version ${newest.version}`, 'Your text']} narrow
          />
          <Text size="sm">
            What stands only in version {newest.version} is lost from the document; the version itself stays among the
            versions.
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onKeep} data-autofocus>Keep writing</Button>
            <Button onClick={() => onReplace(newest.version)} loading={saving}>
              Save mine in place of version {newest.version}
            </Button>
          </Group>
        </Stack>
      )}
    </Loaded>
  )
}
